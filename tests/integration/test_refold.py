"""The rows of a log are held to the events, a window after the other: what is missing, too many or another is told, and
nothing else, whatever is written meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from threading import Event, Thread
from typing import Any

import pytest

from consumers.projector import Projector
from domain.deals import Assigned
from infra.partitions import partition_of
from infra.postgres import refold as refold_module
from infra.postgres.checks import Checks, Report, Violation
from infra.postgres.connection import Database, Pool
from infra.postgres.feed import StoreFeed
from infra.postgres.generations import Generations
from infra.postgres.months import Months
from infra.postgres.quarantine import Quarantine
from infra.postgres.read_models import PostgresReadModels
from infra.postgres.refold import refold
from projections.projection import Projection
from projections.shapes import Register, Row
from tests.integration.projecting import Squeamish, assign, owners, projector, squeamish

FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
ADVISORY = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = {here}".format(
    here="(SELECT oid FROM pg_database WHERE datname = current_database())"
)
TOLD = [("D1", "ann"), ("D2", "ann"), ("D1", "bob"), ("D3", "bob"), ("D1", "cid"), ("D2", "bob"), ("D3", "ann")]


def gifts() -> Projection:
    """Each deal brings its owner two gifts: one without a note that is told in an unusual way, and an empty one."""
    gift = Register("gift", dimensions={"owner": "text"}, resources=("worth",), details={"note": "text", "day": "date"})

    @gift.on(Assigned)
    def assigned(e: Assigned) -> Iterator[Row]:
        yield gift.move(owner=e.owner, worth=Decimal("1E+1"), note=None, day=date(2026, 1, 1))
        yield gift.move(owner=e.owner, worth=Decimal("-0.00"), note="")

    return Projection("gifts", 1, (gift,))


@dataclass
class Book:
    """A ledger and one projection of it."""

    database: Database
    pool: Pool
    read_models: PostgresReadModels
    checks: Checks

    def projected(
        self, projection: Projection, told: Sequence[tuple[str, str]] = TOLD, partitions: int = 1
    ) -> Projector:
        self.read_models.prepare([projection], partitions)
        projecting = projector(self.pool, self.read_models, projection, partitions)
        projecting.catch_up(assign(self.database, told))
        return projecting

    def by_hand(self, sql: str) -> None:
        with self.pool.connection() as connection, connection.cursor() as cursor:
            for statement in sql.split(";"):
                cursor.execute(statement)
                assert cursor.rowcount

    def refolded(self, projection: Projection, most: int = 20) -> Report:
        return refold(self.checks, projection, most)

    def violations(self, projection: Projection) -> Sequence[Violation]:
        return self.refolded(projection).violations


@pytest.fixture
def book(database: Database, pool: Pool) -> Iterator[Book]:
    with closing(PostgresReadModels(database)) as read_models, closing(Checks(database)) as checks:
        yield Book(database, pool, read_models, checks)


@pytest.fixture(params=[1, 12])
def partitions(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def places(violations: Sequence[Violation]) -> list[Any]:
    """Position and line, and whether a row is there and must be."""
    return [(v.cell["position"], v.cell["line"], v.found is not None, v.expected is not None) for v in violations]


@pytest.mark.parametrize("make", [gifts, owners])
def test_what_was_projected_is_what_comes_out_of_the_events(book: Book, make: Any, partitions: int) -> None:
    projection = make()
    book.projected(projection, partitions=partitions)
    report = book.refolded(projection)
    assert [violation.sentence for violation in report.violations] == []
    assert (report.position, report.violated) == (len(TOLD), {"rebuilt": 0})


def test_a_row_that_is_missing_with_its_sums_is_told_and_only_here(book: Book) -> None:
    projection = gifts()
    book.projected(projection)
    book.by_hand("DELETE FROM gift_movement WHERE owner = 'cid'; DELETE FROM gift_turnover WHERE owner = 'cid'")
    book.by_hand("DELETE FROM gift_balance WHERE owner = 'cid'")
    assert book.checks.run(projection, 20).violations == []
    found = book.violations(projection)
    assert places(found) == [(5, 0, False, True), (5, 1, False, True)]
    assert found[0].cell == {"table": "gift_movement", "position": 5, "line": 0}
    assert (found[0].invariant, found[0].figure, found[0].positions) == ("rebuilt", "row", [5])
    assert found[0].expected is not None
    assert found[0].expected.endswith("deal.assigned, cid, 10, –, 2026-01-01)")


@pytest.mark.parametrize(
    "change",
    [
        "worth = 11",
        "worth = 10.0",
        "owner = 'Cid'",
        "note = ''",
        "day = NULL",
        "effective_at = effective_at + interval '1 us'",
        "recorded_at = recorded_at - interval '1 us'",
        "type = 'deal.dreamt'",
    ],
)
def test_a_row_that_was_changed_is_told_as_it_is_and_as_it_must_be(book: Book, change: str) -> None:
    projection = gifts()
    book.projected(projection)
    book.by_hand(f"UPDATE gift_movement SET {change} WHERE owner = 'cid' AND line = 0")
    [found] = book.violations(projection)
    assert places([found]) == [(5, 0, True, True)]
    assert found.found != found.expected


@pytest.mark.parametrize(
    "patch", ["""'{"D1": true}'""", """'{"D1": 1.0}'""", """'{"D1": "1"}'""", """'{"D1": 1, "D9": null}'""", "NULL"]
)
def test_a_patch_that_says_something_else_is_told(book: Book, patch: str) -> None:
    projection = owners()
    book.projected(projection)
    book.by_hand(f"UPDATE owner_version SET patch = {patch} WHERE key = 'cid'")
    assert places(book.violations(projection)) == [(5, 0, True, True)]


def test_a_row_that_is_there_three_times_is_two_too_many(book: Book) -> None:
    projection = gifts()
    book.projected(projection)
    columns = "position, line, effective_at, recorded_at, type, owner, worth, note, day"
    again = f"INSERT INTO gift_movement SELECT {columns} FROM gift_movement WHERE position = 3 AND line = 1 LIMIT 1"
    book.by_hand(f"{again}; {again}")
    assert places(book.violations(projection)) == [(3, 1, True, False)] * 2


def test_a_row_of_an_event_that_makes_none_is_one_too_many(book: Book) -> None:
    projection = gifts()
    book.projected(projection)
    book.by_hand("UPDATE gift_movement SET line = 2 WHERE position = 3 AND line = 1")
    assert places(book.violations(projection)) == [(3, 1, False, True), (3, 2, True, False)]


def test_each_partition_counts_up_to_where_it_is(book: Book) -> None:
    """And what is ahead of the others is looked at, too."""
    projection = gifts()
    book.read_models.prepare([projection], 2)
    assign(book.database, TOLD)
    ahead = partition_of("deal-D1", 2)
    assert {partition_of(f"deal-{deal}", 2) for deal, _ in TOLD} == {0, 1}
    where = partial(book.read_models.places, projection, 2)
    feed = StoreFeed(book.pool, projection.types, 2, where, only=lambda: [ahead])
    Projector(projection, feed, book.read_models, 2).turn()
    assert book.refolded(projection).position == len(TOLD)
    assert book.violations(projection) == []
    book.by_hand("DELETE FROM gift_movement WHERE position = 5 AND line = 0")
    assert places(book.violations(projection)) == [(5, 0, False, True)]


def parked(book: Book, partitions: int = 1) -> tuple[Projection, Squeamish]:
    """From its second event on, which is the fifth."""
    projection, state = squeamish()
    book.projected(projection, [*TOLD[:2], ("D3", "bob"), ("D2", "bob"), ("D1", "bad"), ("D1", "ann")], partitions)
    assert [each.position for each in Quarantine(book.read_models).list()] == [5]
    return projection, state


@pytest.mark.parametrize("cured", [False, True])
def test_of_a_parked_stream_there_must_be_no_row_of_what_waits(book: Book, partitions: int, cured: bool) -> None:
    projection, state = parked(book, partitions)
    state.cured = cured
    assert book.violations(projection) == []
    book.by_hand("UPDATE given_movement SET position = 6 WHERE position = 1")
    assert places(book.violations(projection)) == [(1, 0, False, True), (6, 0, True, False)]


def test_an_event_that_can_be_taken_no_more_and_is_not_parked_is_told_with_its_reason(book: Book) -> None:
    projection, _ = parked(book)
    book.by_hand("DELETE FROM quarantine; DELETE FROM given_movement WHERE position = 3")
    missing, unfit, after = sorted(book.violations(projection), key=lambda violation: violation.positions[0])
    assert places([missing, after]) == [(3, 0, False, True), (6, 0, False, True)]
    assert (unfit.invariant, unfit.cell, unfit.figure) == ("rebuilt", {"stream": "deal-D1", "position": 5}, "event")
    assert "this owner cannot be taken" in str(unfit.found)
    assert unfit.expected == "taken or parked"


def test_what_comes_out_and_cannot_be_written_is_told(book: Book) -> None:
    projection, _ = squeamish()
    book.projected(projection, [*TOLD, ("D4", "NUL")])
    book.by_hand("DELETE FROM quarantine")
    assert places(book.violations(projection)) == [(8, 0, False, True)]


def test_months_that_are_detached_are_passed_over_and_no_others(book: Book) -> None:
    projection = gifts()
    projecting = book.projected(projection)
    projecting.catch_up(assign(book.database, [("D4", "ann")], on=FEBRUARY))
    [gift] = projection.shapes
    assert isinstance(gift, Register)
    Months(book.database).detach("gifts", gift, date(2026, 1, 1))
    assert book.violations(projection) == []
    book.by_hand("DELETE FROM gift_movement WHERE line = 1")
    assert places(book.violations(projection)) == [(8, 1, False, True)]
    book.by_hand("UPDATE gift_movement SET position = 1")
    assert places(book.violations(projection)) == [(8, 0, False, True), (8, 1, False, True)]


def test_one_that_another_version_has_filled_is_not_looked_at(book: Book) -> None:
    was = gifts()
    book.projected(was)
    assert book.refolded(Projection(was.name, 2, was.shapes)).checked == []


def test_nor_is_one_that_is_swapped_for_another_version_meanwhile(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refold_module, "WINDOW", 3)
    projection = gifts()
    book.projected(projection)
    report = refold(book.checks, projection, 5, lambda *_: book.by_hand("UPDATE projection SET version = 2"))
    assert report.checked == []


def test_windows_go_up_to_the_end_and_all_violations_are_counted(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refold_module, "WINDOW", 3)
    projection, passed = gifts(), list[int]()
    book.projected(projection)
    book.by_hand("UPDATE gift_movement SET worth = 7")
    report = refold(book.checks, projection, 4, lambda positions, _: passed.append(positions))
    assert passed == [3, 3, 1]
    assert (len(report.violations), report.violated["rebuilt"]) == (4, 2 * len(TOLD))


def test_between_two_windows_nothing_is_held(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """A swap takes place, and another after it."""
    monkeypatch.setattr(refold_module, "WINDOW", 3)
    projection, free = gifts(), list[object]()
    book.projected(projection)
    generations = Generations(book.database)

    def swaps(*_: object) -> None:
        free.append(book.pool.read(ADVISORY))
        new = generations.begin(projection, 1)
        with closing(PostgresReadModels(book.database, [new])) as filling:
            projector(book.pool, filling, projection).catch_up(len(TOLD))
        generations.swap_soon(new)

    assert refold(book.checks, projection, 5, swaps).violations == []
    assert free == [[(0,)]] * 3


def test_nothing_is_found_while_consumers_write(book: Book, monkeypatch: pytest.MonkeyPatch, partitions: int) -> None:
    monkeypatch.setattr(refold_module, "WINDOW", 7)
    projection, stopped = gifts(), Event()
    book.projected(projection, partitions=partitions)
    versions = {"D1": 3, "D2": 2, "D3": 2}

    def write() -> None:
        with closing(PostgresReadModels(book.database)) as read_models:
            projecting = projector(book.pool, read_models, projection, partitions)
            while not stopped.is_set():
                assign(book.database, TOLD, versions)
                projecting.turn()

    thread = Thread(target=write)
    thread.start()
    try:
        reports = [book.refolded(projection)]
        while reports[-1].position < 30 * len(TOLD):
            reports.append(book.refolded(projection))
    finally:
        stopped.set()
        thread.join()
    assert [violation.sentence for report in reports for violation in report.violations] == []
