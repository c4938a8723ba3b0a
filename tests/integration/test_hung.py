"""A process may hang for good and keep its connections, as one does that is stopped or whose host is cut off. What it
has locked is set free, and the others go on."""

from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from time import sleep

import psycopg2
import pytest

from consumers.ports import Batch, Overtaken
from infra.postgres import baton as baton_module
from infra.postgres import connection as connection_module
from infra.postgres import head
from infra.postgres.baton import PostgresBaton
from infra.postgres.connection import Database
from infra.postgres.read_models import PostgresReadModels
from infra.postgres.writer import Writer
from projections.projection import Projection
from tests.integration.projecting import assign, owners
from tests.integration.writing import ask, event, outcome, until

SOON = "200ms"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "HUNG", SOON)
    monkeypatch.setattr(baton_module, "SILENT", SOON)


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    writer = Writer(database)
    yield writer
    writer.close()


def test_one_that_hangs_while_it_appends_does_not_close_the_book(database: Database, writer: Writer) -> None:
    hung = database.connect(autocommit=False)
    hung.cursor().execute(head.LOCK)
    assert outcome(ask(writer, event("s"))) == 1
    hung.close()


def has_written(other: PostgresReadModels, projection: Projection) -> bool:
    """However often it is ended itself, when the machine is busy, for so short a silence."""
    with suppress(Overtaken, psycopg2.Error):
        other.write(projection, 1, [Batch(0, 0, 1, [])], {}, frozenset())
    with suppress(psycopg2.Error):
        return other.position(projection) == 1
    return False


def test_one_that_hangs_while_it_projects_does_not_keep_its_partitions(database: Database) -> None:
    projection, hung, other = owners(), PostgresReadModels(database), PostgresReadModels(database)
    assign(database, [("D1", "ann")])
    hung.prepare([projection])

    def overtaken() -> None:
        with hung.transaction() as cursor:
            cursor.execute("SELECT FROM tracking FOR UPDATE")
            until(lambda: has_written(other, projection))

    with pytest.raises(psycopg2.Error):
        overtaken()
    assert other.position(projection) == 1
    other.close()


def test_one_that_hangs_while_it_copies_does_not_either(database: Database) -> None:
    """The server does not count it as idle: who waits for it ends it."""
    projection, hung, other = owners(), PostgresReadModels(database), PostgresReadModels(database)
    assign(database, [("D1", "ann")])
    hung.prepare([projection])

    class Hanging(StringIO):
        """Says nothing until the other has written."""

        def read(self, _: int | None = -1) -> str:
            until(lambda: has_written(other, projection))
            return ""

    def copies() -> None:
        with hung.transaction() as cursor:
            cursor.execute("SELECT FROM tracking FOR UPDATE")
            cursor.copy_expert("COPY owner_version FROM STDIN", Hanging())

    with pytest.raises(psycopg2.Error):
        copies()
    assert other.position(projection) == 1
    other.close()


def test_a_baton_is_anothers_once_it_is_not_asked_for_any_more(database: Database) -> None:
    hung, other = PostgresBaton(database, "relay"), PostgresBaton(database, "relay")
    assert hung.take()
    until(other.take)
    assert not hung.held()
    other.let_go()
    hung.let_go()


def test_one_may_be_given_longer_to_say_nothing(database: Database) -> None:
    busy, other = PostgresBaton(database, "check", silent="1h"), PostgresBaton(database, "check")
    assert busy.take()
    sleep(1)
    assert not other.take()
    assert busy.held()
    other.let_go()
    busy.let_go()
