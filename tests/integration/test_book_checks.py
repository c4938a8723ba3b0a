"""What no hand should do to the book is found and named; and a stream that lacks an event spoils only what needs it."""

from contextlib import closing
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from commands.bus import Accepted, Bus, Outcome, Refused
from infra.postgres import digests
from infra.postgres.checks import Checks, invariants_of_book
from infra.postgres.connection import Database, Pool
from infra.postgres.ledger import PostgresLedger
from tests.integration.writing import query
from tests.unit.given import TODAY
from tests.unit.words import receive, register_client, register_product, register_warehouse

BREAKS = {
    "positions": ("DELETE FROM event WHERE position = 2", "position", "is 3, must be 2"),
    "versions": ("UPDATE event SET version = 7 WHERE version = 3", "version", "is 7, must be 3"),
    "recorded": (
        "UPDATE event SET recorded_at = recorded_at - interval '1 h' WHERE position = 4",
        "recorded_at",
        "later",
    ),
    "digests": ("UPDATE event SET payload = payload || ' ' WHERE position = 2", "digest", "from 1, to 3"),
    "commands": ("UPDATE command SET events = 2 WHERE command_id = 'c-5'", "events", "is 1, must be 2"),
}


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "BLOCK", 3)


@pytest.fixture
def book(database: Database, pool: Pool) -> Database:
    """A client, a product, a warehouse; three receipts are one stream."""
    commands = (
        register_product(),
        register_client(),
        register_warehouse(),
        receive(1),
        receive(2),
        receive(3, command_id="c-5"),
    )
    with closing(PostgresLedger(database, pool, ZoneInfo("UTC"))) as ledger:
        ids = map("m-{}".format, range(100))
        outcomes = Bus(ledger, lambda: TODAY, lambda: next(ids)).execute(commands)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    return database


def by_hand(database: Database, sql: str) -> None:
    """A superuser can put the triggers aside."""
    off = "; ".join(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in ("event", "command"))
    query(database, f"{off}; {sql}")


def violated(database: Database) -> dict[str, list[str]]:
    with closing(Checks(database)) as checks:
        found = checks.book(20).checked
    return {each.invariant: [one.sentence for one in each.violations] for each in found if each.violated}


def test_nothing_is_found_in_a_book_that_the_product_has_written(book: Database) -> None:
    assert violated(book) == {}


def test_an_empty_book_holds(database: Database) -> None:
    assert violated(database) == {}


def test_each_invariant_of_the_book_is_broken_here() -> None:
    assert {each.name for each in invariants_of_book()} == BREAKS.keys()
    assert all(each.meaning.endswith(".") for each in invariants_of_book())


@pytest.mark.parametrize("invariant", BREAKS)
def test_what_is_broken_is_found_and_named(book: Database, invariant: str) -> None:
    sql, figure, told = BREAKS[invariant]
    assert violated(book) == {}
    by_hand(book, sql)
    [sentence] = violated(book)[invariant]
    assert f"book breaks {invariant} at" in sentence
    assert figure in sentence
    assert told in sentence


@pytest.mark.parametrize(
    ("column", "changed"),
    [
        ("stream", "stream || 'x'"),
        ("type", "type || 'x'"),
        ("schema_version", "schema_version + 1"),
        ("order_key", "order_key || 'x'"),
        ("recorded_at", "recorded_at + interval '1 microsecond'"),
        ("effective_at", "effective_at - interval '1 microsecond'"),
        ("metadata", "metadata || ' '"),
        ("claims", "'x'"),
    ],
)
def test_each_column_of_an_event_that_is_changed_past_the_triggers_is_found(
    book: Database, column: str, changed: str
) -> None:
    assert violated(book) == {}
    by_hand(book, f"UPDATE event SET {column} = {changed} WHERE position = 6")
    [sentence] = violated(book)["digests"]
    assert "from 4, to 6" in sentence


def test_what_is_changed_before_its_block_was_ever_checked_is_not_found(book: Database) -> None:
    by_hand(book, BREAKS["digests"][0])
    assert violated(book) == {}


def test_blocks_are_held_to_what_they_were_as_they_fill(book: Database) -> None:
    for _ in range(2):
        assert violated(book) == {}
        kept = query(book, "SELECT first, last FROM digest ORDER BY first")
        assert kept == [(1, 3), (4, 6)]


def test_nothing_is_held_to_what_breaks_an_invariant(book: Database) -> None:
    by_hand(book, BREAKS["positions"][0])
    assert "positions" in violated(book)
    assert query(book, "SELECT first FROM digest") == []


def test_digests_are_changed_by_nobody_either(book: Database) -> None:
    assert violated(book) == {}
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="never changed"):
        query(book, "UPDATE digest SET digest = ''")


def test_a_book_that_ends_before_its_head_has_lost_its_last_events(book: Database) -> None:
    by_hand(book, "DELETE FROM event WHERE position > 4")
    assert "is 7, must be 5" in violated(book)["positions"][0]


def test_a_stream_that_lacks_an_event_refuses_what_needs_it_and_nothing_else(book: Database) -> None:
    by_hand(book, "DELETE FROM event WHERE version = 2; DELETE FROM snapshot")
    with Pool(book) as pool, closing(PostgresLedger(book, pool, ZoneInfo("UTC"))) as ledger:
        ids = map("n-{}".format, range(100))
        outcomes: list[Outcome] = Bus(ledger, lambda: TODAY, lambda: next(ids)).execute(
            [receive(1), register_client("C2")]
        )
    assert isinstance(outcomes[0], Refused)
    assert (outcomes[0].refusal.code, outcomes[0].refusal.facts["version"]) == ("broken_stream", 1)
    assert isinstance(outcomes[1], Accepted)
