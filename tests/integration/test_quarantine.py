"""A stream that a projection cannot take waits, in order; all others go on; after a fix nothing is lost."""

from collections.abc import Iterator

import pytest

from consumers.ports import Batch, Gap
from consumers.projector import Projector
from infra.postgres.connection import Database, Pool
from infra.postgres.generations import Generations
from infra.postgres.quarantine import Quarantine, Retried
from infra.postgres.queries import Queries
from infra.postgres.read_models import PostgresReadModels
from projections.projection import Projection
from tests.integration.projecting import Squeamish, assign, projector, squeamish

GIVEN = "SELECT deal, owner, times FROM given_balance ORDER BY deal, owner"
TOLD = [("D1", "ann"), ("D2", "ann"), ("D1", "bad"), ("D3", "bob"), ("D1", "bob"), ("D2", "bob"), ("D1", "ann")]
OTHERS = [("D2", "ann", 1), ("D2", "bob", 1), ("D3", "bob", 1)]


@pytest.fixture
def read_models(database: Database) -> Iterator[PostgresReadModels]:
    read_models = PostgresReadModels(database)
    yield read_models
    read_models.close()


@pytest.fixture(params=[1, 12])
def partitions(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def given(read_models: PostgresReadModels, partitions: int) -> tuple[Projection, Squeamish]:
    projection, state = squeamish()
    read_models.prepare([projection], partitions)
    return projection, state


@pytest.fixture
def projecting(
    pool: Pool, read_models: PostgresReadModels, given: tuple[Projection, Squeamish], partitions: int
) -> Projector:
    return projector(pool, read_models, given[0], partitions)


def test_a_stream_that_cannot_be_taken_is_parked_and_the_others_go_on(
    database: Database, pool: Pool, read_models: PostgresReadModels, projecting: Projector
) -> None:
    last = assign(database, TOLD)
    projecting.catch_up(last)
    assert pool.read(GIVEN, ()) == [("D1", "ann", 1), *OTHERS]
    [parked] = Quarantine(read_models).list()
    assert (parked.stream, parked.version, parked.position, parked.waiting) == ("deal-D1", 2, 3, 3)
    assert "this owner cannot be taken" in parked.error
    assert [event.version for event in Quarantine(read_models).show("given", "deal-D1")] == [2, 3, 4]
    assert [(lag.position, lag.quarantined) for lag in Queries(pool).lags()] == [(last, 1)]


def test_what_the_database_refuses_is_parked_as_well(
    database: Database, pool: Pool, read_models: PostgresReadModels, projecting: Projector
) -> None:
    projecting.catch_up(assign(database, [*TOLD[:2], ("D3", "NUL"), ("D2", "bob"), ("D3", "bob")]))
    assert pool.read(GIVEN, ()) == [("D1", "ann", 1), ("D2", "ann", 1), ("D2", "bob", 1)]
    [parked] = Quarantine(read_models).list("given")
    assert (parked.stream, parked.version, parked.waiting) == ("deal-D3", 1, 2)


def test_after_a_fix_the_queue_is_taken_in_order_and_the_stream_goes_on(
    database: Database,
    pool: Pool,
    read_models: PostgresReadModels,
    projecting: Projector,
    given: tuple[Projection, Squeamish],
) -> None:
    versions: dict[str, int] = {}
    projecting.catch_up(assign(database, TOLD, versions))
    given[1].cured = True
    assert Quarantine(read_models).retry(given[0], "deal-D1") == Retried(3)
    assert Quarantine(read_models).list() == []
    whole = [("D1", "ann", 2), ("D1", "bad", 1), ("D1", "bob", 1), *OTHERS]
    assert pool.read(GIVEN, ()) == whole
    projecting.catch_up(assign(database, [("D1", "cid")], versions))
    assert pool.read(GIVEN, ()) == [*whole[:3], ("D1", "cid", 1), *OTHERS]


def test_what_still_cannot_be_taken_goes_on_waiting(
    database: Database,
    pool: Pool,
    read_models: PostgresReadModels,
    projecting: Projector,
    given: tuple[Projection, Squeamish],
) -> None:
    projecting.catch_up(assign(database, TOLD))
    given[1].cured = None
    tried = Quarantine(read_models).retry(given[0], "deal-D1")
    assert (tried.taken, tried.error) == (0, "ValueError('still this owner cannot be taken')")
    [parked] = Quarantine(read_models).list()
    assert (parked.version, parked.waiting, parked.error) == (2, 3, tried.error)
    assert pool.read(GIVEN, ()) == [("D1", "ann", 1), *OTHERS]


def test_a_consumer_that_does_not_know_of_a_retry_parks_nothing_that_can_be_taken(
    database: Database,
    pool: Pool,
    read_models: PostgresReadModels,
    projecting: Projector,
    given: tuple[Projection, Squeamish],
) -> None:
    """It read that the stream was parked before somebody retried it: what it is about to write is out of date."""
    versions: dict[str, int] = {}
    projecting.catch_up(assign(database, TOLD, versions))
    last = assign(database, [("D1", "cid")], versions)
    given[1].cured = True
    Quarantine(PostgresReadModels(database)).retry(given[0], "deal-D1")
    projecting.catch_up(last)
    assert ("D1", "cid", 1) in pool.read(GIVEN, ())
    assert Quarantine(read_models).list() == []


class Skipping:
    """A feed that has skipped a version of a stream, and says so."""

    def __init__(self, feed: object, missing: int) -> None:
        self._feed = feed
        self._missing = missing

    def read(self) -> list[Batch]:
        return [self._without(batch) for batch in self._feed.read()]  # type: ignore[attr-defined]

    def rewind(self) -> None:
        self._feed.rewind()  # type: ignore[attr-defined]

    def close(self) -> None: ...

    def _without(self, batch: Batch) -> Batch:
        events = [event for event in batch.events if event.position != self._missing]
        later = [event for event in events if event.stream == "deal-D1" and event.position > self._missing]
        gaps = [Gap(e.stream, e.order_key, 2, e.version, e.position) for e in later[:1]]
        return batch._replace(events=events, gaps=gaps)


def test_a_gap_in_a_stream_s_versions_halts_that_stream_and_what_is_missing_comes_from_the_book(
    database: Database,
    pool: Pool,
    read_models: PostgresReadModels,
    projecting: Projector,
    given: tuple[Projection, Squeamish],
) -> None:
    given[1].cured = True
    projecting.feed = Skipping(projecting.feed, missing=3)
    projecting.catch_up(assign(database, TOLD))
    assert pool.read(GIVEN, ()) == [("D1", "ann", 1), *OTHERS]
    [parked] = Quarantine(read_models).list()
    assert (parked.stream, parked.version, parked.waiting) == ("deal-D1", 2, 3)
    assert parked.error == f"version 3 came in partition {parked.partition} where 2 is next"
    assert Quarantine(read_models).retry(given[0], "deal-D1") == Retried(3)
    assert ("D1", "bad", 1) in pool.read(GIVEN, ())


def test_a_generation_has_a_quarantine_of_its_own_that_comes_along_when_it_is_read(
    database: Database, pool: Pool, read_models: PostgresReadModels, projecting: Projector
) -> None:
    last = assign(database, TOLD)
    projecting.catch_up(last)
    generations = Generations(database)
    new = generations.begin(projecting.projection, 3)
    filling = PostgresReadModels(database, [new])
    projector(pool, filling, projecting.projection, 3).catch_up(last)
    filling.close()
    assert [each.projection for each in Quarantine(read_models).list()] == ["given", "given/2"]
    generations.swap_soon(new)
    assert [(each.projection, each.waiting) for each in Quarantine(read_models).list()] == [("given", 3)]
