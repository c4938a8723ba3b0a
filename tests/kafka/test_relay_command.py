"""``grossbuch relay`` as it is started, watched, stopped and refused."""

import os
import signal
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from consumers.ports import Topic
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.ports import free_port
from infra.kafka.topic import administration, delete, ensure
from infra.postgres.connection import Database
from infra.postgres.writer import Writer
from tests.e2e.serving import GROSSBUCH
from tests.integration.writing import query, until
from tests.kafka.carrying import NEVER
from tests.kafka.relaying import Book, carries, process, relaying


@pytest.fixture
def book(database: Database) -> Iterator[Book]:
    writer = Writer(database)
    yield Book(database, writer)
    writer.close()


def says(relay: subprocess.Popen[str], what: str) -> str:
    """All that it has said since it was listened to last, once it says this; the test's own time is the limit."""
    said = ""
    while what not in said:
        assert relay.stdout
        line = relay.stdout.readline()
        assert line, f"it ended: {said}"
        said += line
    return said


class TestTheCommand:
    def test_stops_when_asked_to_and_has_finished(self, broker: Broker, book: Book) -> None:
        for sign in (signal.SIGTERM, signal.SIGINT):
            book.grow(100)
            with process(broker, book) as relay:
                until(carries(broker, book), patience=NEVER)
                relay.send_signal(sign)
                assert relay.wait(NEVER) == 0
                assert relay.stdout
                assert "Traceback" not in relay.stdout.read()

    def test_shows_its_figures(self, broker: Broker, book: Book) -> None:
        port = free_port()
        book.grow(100)
        with process(broker, book, "--metrics-port", str(port)):
            until(carries(broker, book), patience=NEVER)
            figures = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
        assert "grossbuch_relay_position 100.0" in figures
        assert "grossbuch_relay_behind_events 0.0" in figures
        assert "grossbuch_relay_published_events_total 100.0" in figures
        assert "grossbuch_relay_standing_by 0.0" in figures

    def test_refuses_an_unfit_topic_in_one_line_and_goes_on_once_it_is_fit(self, broker: Broker, book: Book) -> None:
        book.grow(10)
        with administration(connection(broker.settings)) as admin:
            ensure(admin, Topic(book.topic.name, 5))
            with process(broker, book) as relay:
                halted = says(relay, "relay halted")
                assert "5 partitions, and the ledger 12" in halted
                delete(admin, book.topic.name)
                lines = says(relay, "relay goes on")
                assert "halted" not in lines
        until(carries(broker, book), patience=NEVER)

    def test_refuses_another_books_topic_in_one_line(self, broker: Broker, book: Book) -> None:
        book.grow(10)
        with relaying(broker, book):
            book.carried(broker)
        query(
            book.database,
            "ALTER TABLE event DISABLE TRIGGER USER;"
            " UPDATE event SET recorded_at = recorded_at + '1s'::interval RETURNING 1",
        )
        with process(broker, book) as relay:
            assert "position 10 differs" in says(relay, "relay halted")

    def test_needs_a_broker(self, book: Book) -> None:
        told = {"DATABASE_URL": book.database.dsn, "GROSSBUCH_LEDGER": book.database.schema}
        done = subprocess.run(
            [GROSSBUCH, "relay"], env={**os.environ, **told}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "KAFKA_BOOTSTRAP" in done.stderr
