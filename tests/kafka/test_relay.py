"""The relay between a real book and a real broker: every event once and in order, whatever dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from api.relaying import make_relay
from consumers.ports import Topic
from consumers.relay import Relay
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.figures import RelayFigures
from infra.kafka.ports import free_port
from infra.kafka.publisher import TopicPublisher
from infra.kafka.topic import administration, delete, ensure
from infra.postgres.baton import PostgresBaton
from infra.postgres.connection import Database, Pool
from infra.postgres.log import StoreLog
from infra.postgres.writer import Writer
from infra.settings import Settings
from tests.e2e.serving import GROSSBUCH
from tests.integration.writing import ask, event, outcome, query, streams, terminate, until
from tests.kafka.carrying import NEVER, are_carried, check_order, events, messages

PARTITIONS = 12


class Book:
    """Grows when told to; knows what must be in the topic."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self.database = database
        self._writer = writer
        self.size = 0

    @property
    def topic(self) -> Topic:
        return Topic(f"{self.database.schema}.events", PARTITIONS)

    def grow(self, by: int, payload: str = "{}") -> None:
        while by > 0:
            some = min(by, 2_000)
            rows = [event(f"stream-{self.size + n}", payload=payload) for n in range(1, some + 1)]
            assert isinstance(outcome(ask(self._writer, *rows)), int)
            self.size, by = self.size + some, by - some

    def carried(self, broker: Broker) -> None:
        """Once the relay is there, the topic has what the book has."""
        until(lambda: at() == self.size, patience=NEVER)
        are_carried(broker, self.topic, self.size)
        found = sorted((each.position, each.headers["ce_subject"]) for each in events(messages(broker, self.topic)))
        assert [stream for _, stream in found] == streams(self.database)


@pytest.fixture
def book(database: Database) -> Iterator[Book]:
    writer = Writer(database)
    yield Book(database, writer)
    writer.close()


def at() -> float:
    return REGISTRY.get_sample_value("grossbuch_relay_position") or 0


def lost(*reasons: str) -> float:
    """How many publishers were lost for these reasons so far; for any if none is named."""
    [metric] = [each for each in REGISTRY.collect() if each.name == "grossbuch_relay_publishers_lost"]
    counted = [each for each in metric.samples if each.name.endswith("_total")]
    return sum(each.value for each in counted if not reasons or each.labels["reason"] in reasons)


def settings(broker: Broker, database: Database) -> Settings:
    return broker.settings.model_copy(update={"ledger": database.schema, "database_url": database.dsn})


@contextmanager
def relaying(broker: Broker, book: Book, **publisher: Any) -> Iterator[Relay]:
    """A relay in a thread. What ends it fails the test."""
    RelayFigures().at(0, 0)
    RelayFigures().standing_by(False)
    with Pool(book.database) as pool:
        if publisher:
            options = connection(broker.settings)
            relay = Relay(
                StoreLog(pool),
                PostgresBaton(book.database, "relay"),
                lambda: book.topic,
                lambda topic: TopicPublisher(options, book.database.schema, topic, **publisher),
                RelayFigures(),
            )
        else:
            relay = make_relay(settings(broker, book.database), pool)
        with in_thread(relay):
            yield relay


@contextmanager
def in_thread(relay: Relay) -> Iterator[None]:
    ended: list[BaseException] = []

    def run() -> None:
        try:
            relay.run()
        except BaseException as error:
            ended.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        relay.stop()
        thread.join(NEVER)
    assert not thread.is_alive()
    if ended:
        raise ended[0]


def environment(broker: Broker, book: Book) -> dict[str, str]:
    told = {"DATABASE_URL": book.database.dsn, "GROSSBUCH_LEDGER": book.database.schema}
    return {**os.environ, **broker.environment, **told}


@contextmanager
def process(
    broker: Broker, book: Book, *arguments: str, program: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """``grossbuch relay``, killed at the end if it lives."""
    command = [*(program or (GROSSBUCH, "relay")), *arguments]
    with subprocess.Popen(
        command, env=environment(broker, book), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def carries(broker: Broker, book: Book) -> Callable[[], bool]:
    """Whether the topic has it all by now."""

    def look() -> bool:
        with administration(connection(broker.settings)) as admin:
            ensure(admin, book.topic)
        return len(events(messages(broker, book.topic))) >= book.size

    return look


class TestInOrder:
    def test_every_event_is_in_the_topic_once(self, broker: Broker, book: Book) -> None:
        book.grow(7_001)
        with relaying(broker, book):
            book.carried(broker)
            for _ in range(20):
                book.grow(3)
            book.carried(broker)

    def test_readers_of_quiet_partitions_learn_how_far_the_book_is(self, broker: Broker, book: Book) -> None:
        with relaying(broker, book):
            book.grow(2)

            def marked() -> bool:
                last = {each.partition: each.position for each in messages(broker, book.topic)}
                return last == dict.fromkeys(range(PARTITIONS), 2)

            until(lambda: at() == 2, patience=NEVER)
            until(marked, patience=NEVER)
            check_order(messages(broker, book.topic))

    def test_a_relay_that_comes_after_goes_on(self, broker: Broker, book: Book) -> None:
        for _ in range(3):
            book.grow(100)
            with relaying(broker, book):
                book.carried(broker)

    def test_a_broker_with_tls_and_passwords_is_served_alike(self, secured_broker: Broker, book: Book) -> None:
        book.grow(100)
        with relaying(secured_broker, book):
            until(lambda: at() == book.size, patience=NEVER)


class TestATopicThatIsDeleted:
    def test_is_filled_again_from_the_first_event(self, broker: Broker, book: Book) -> None:
        book.grow(500)
        before = lost("topic gone")
        with relaying(broker, book):
            book.carried(broker)
            with administration(connection(broker.settings)) as admin:
                delete(admin, book.topic.name)
            until(lambda: lost("topic gone") > before, patience=NEVER)
            book.grow(5)
            book.carried(broker)

    def test_and_made_again_by_others_under_load_is_filled_from_the_first_event(
        self, broker: Broker, book: Book
    ) -> None:
        book.grow(500)
        before = lost()
        with relaying(broker, book):
            book.carried(broker)
            with administration(connection(broker.settings)) as admin:
                delete(admin, book.topic.name)
                ensure(admin, book.topic)
            book.grow(500)
            until(lambda: lost() > before, patience=NEVER)
            book.carried(broker)


class TestABrokerThatIsAway:
    def test_and_comes_back_has_everything_once(self, frail_broker: Broker, book: Book) -> None:
        book.grow(1_000)
        with relaying(frail_broker, book, stall=3.0):
            book.carried(frail_broker)
            for fell in (frail_broker.kill, frail_broker.stop):
                book.grow(500)
                fell()
                book.grow(500)
                frail_broker.start()
                book.carried(frail_broker)

    def test_for_longer_than_a_delivery_may_take_is_got_over(self, frail_broker: Broker, book: Book) -> None:
        """The first defect of kafka-python: a producer that sends nothing any more after such an outage."""
        before = lost("stalled", "failed", "unreachable")
        with relaying(frail_broker, book, stall=20.0, delivery_timeout_ms=1_200, request_timeout_ms=1_000):
            book.grow(1_000)
            book.carried(frail_broker)
            frail_broker.pause()
            book.grow(1_000)
            until(lambda: lost("stalled", "failed", "unreachable") > before, patience=NEVER)
            frail_broker.resume()
            book.carried(frail_broker)

    def test_leaves_the_book_open_and_no_more_than_a_batch_in_memory(self, frail_broker: Broker, book: Book) -> None:
        large = f'"{"x" * 20_000}"'
        with process(frail_broker, book) as relay:
            book.grow(100)
            until(carries(frail_broker, book), patience=NEVER)
            frail_broker.pause()
            size = resident(relay.pid)
            book.grow(8_000, payload=large)
            query(book.database, "SELECT pg_sleep(1)")
            assert resident(relay.pid) - size < 8_000 * 20_000 / 2
            frail_broker.resume()
            until(carries(frail_broker, book), patience=NEVER)
        are_carried(frail_broker, book.topic, book.size)


class TestARelayThatIsKilled:
    def test_in_a_transaction_is_followed_by_one_that_begins_with_that_again(self, broker: Broker, book: Book) -> None:
        book.grow(20_000)
        with process(broker, book, program=(sys.executable, "-c", killed_at(3))) as relay:
            assert relay.wait(NEVER) == -signal.SIGKILL
        are_carried(broker, book.topic, 10_000)
        with relaying(broker, book):
            book.carried(broker)

    def test_at_any_moment_is_followed_by_one_that_goes_on(self, broker: Broker, book: Book) -> None:
        for _ in range(3):
            book.grow(8_000)
            before = len(messages_so_far(broker, book))
            with process(broker, book) as relay:
                until(lambda before=before: len(messages_so_far(broker, book)) > before, patience=NEVER)
                relay.kill()
        with relaying(broker, book):
            book.carried(broker)


def killed_at(commit: int) -> str:
    """A relay that dies when it is about to commit for the n-th time."""
    return f"""
import os, signal, sys
from itertools import count
from api.cli import main
from infra.kafka.publisher import TopicPublisher
commit, calls = TopicPublisher._commit, count(1)
def deadly(self):
    if next(calls) == {commit}:
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self)
TopicPublisher._commit = deadly
sys.argv = ["grossbuch", "relay"]
main()
"""


class TestTwoRelays:
    def test_one_works_and_the_other_takes_over(self, broker: Broker, book: Book) -> None:
        with process(broker, book) as first:
            book.grow(50)
            until(carries(broker, book), patience=NEVER)
            with relaying(broker, book):
                until(lambda: standing_by() == 1, patience=NEVER)
                book.grow(50)
                until(carries(broker, book), patience=NEVER)
                assert at() == 0
                first.kill()
                until(lambda: standing_by() == 0, patience=NEVER)
                book.grow(50)
                book.carried(broker)

    def test_one_that_has_lost_its_baton_unawares_is_fenced(self, broker: Broker, book: Book) -> None:
        """If in the middle of its commit, the broker has no better word for it than an unknown error."""
        before = lost()
        book.grow(10)
        with process(broker, book):
            until(carries(broker, book), patience=NEVER)
            with relaying(broker, book):
                until(lambda: standing_by() == 1, patience=NEVER)
                terminate_holder(book.database)
                until(lambda: standing_by() == 0, patience=NEVER)
                until(lambda: book.grow(1) or len(batons(book.database)) == 2, patience=NEVER)  # it asks for it again
                book.carried(broker)
                terminate_holder(book.database)
                until(lambda: book.grow(1) or standing_by() == 1, patience=NEVER)
                are_carried(broker, book.topic, book.size)
        assert lost() == before + 1

    def test_whose_database_was_away_go_on(self, broker: Broker, book: Book) -> None:
        with relaying(broker, book):
            for _ in range(5):
                book.grow(500)
                terminate_all(book.database)
            book.carried(broker)


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

    def test_refuses_an_unfit_topic_in_one_line(self, broker: Broker, book: Book) -> None:
        with administration(connection(broker.settings)) as admin:
            ensure(admin, Topic(book.topic.name, 5))
        with process(broker, book) as relay:
            assert relay.wait(NEVER) == 1
            assert relay.stdout
            [line] = [line for line in relay.stdout.read().splitlines() if line.startswith("grossbuch: ")]
            assert "5 partitions, and the ledger 12" in line

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
            assert relay.wait(NEVER) == 1
            assert relay.stdout
            [line] = [line for line in relay.stdout.read().splitlines() if line.startswith("grossbuch: ")]
            assert "position 10 differs" in line

    def test_needs_a_broker(self, book: Book) -> None:
        told = {"DATABASE_URL": book.database.dsn, "GROSSBUCH_LEDGER": book.database.schema}
        done = subprocess.run(
            [GROSSBUCH, "relay"], env={**os.environ, **told}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "KAFKA_BOOTSTRAP" in done.stderr


def standing_by() -> float:
    return REGISTRY.get_sample_value("grossbuch_relay_standing_by") or 0


def messages_so_far(broker: Broker, book: Book) -> list[Any]:
    with administration(connection(broker.settings)) as admin:
        ensure(admin, book.topic)
    return list(messages(broker, book.topic))


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def batons(database: Database) -> list[int]:
    """The connections of those who have the baton, or wait for it."""
    name = f"grossbuch relay {database.schema}"[:63]
    return [pid for (pid,) in query(database, "SELECT pid FROM pg_stat_activity WHERE application_name = %s", name)]


def terminate_holder(database: Database) -> None:
    [(holder,)] = query(
        database,
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = ANY (%s)",
        batons(database),
    )
    terminate(database, holder)


def terminate_all(database: Database) -> None:
    """Every connection that reads for the relay, and the one that has the baton."""
    readers = query(database, "SELECT pid FROM pg_stat_activity WHERE application_name = 'grossbuch read'")
    for pid in [*batons(database), *(pid for (pid,) in readers)]:
        terminate(database, pid)
