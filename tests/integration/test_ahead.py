"""A book that was set back: nothing is taken, waited for or shown that it does not have."""

from collections.abc import Callable, Iterator

import pytest

from api.projecting import STORE
from consumers.follower import Follower
from consumers.ports import Ahead, Batch, Delivered
from consumers.projector import Projector, fold
from consumers.spread import spread
from domain.refusal import Refusal
from infra.postgres.connection import Database, Pool
from infra.postgres.generations import Generations
from infra.postgres.queries import Queries
from infra.postgres.read_models import PostgresReadModels
from projections.projection import Projection
from tests.integration.projecting import assign, projector, squeamish, store_feed
from tests.integration.writing import query

BALANCE = "SELECT deal, times FROM given_balance ORDER BY deal"


@pytest.fixture
def read_models(database: Database) -> Iterator[PostgresReadModels]:
    read_models = PostgresReadModels(database)
    yield read_models
    read_models.close()


@pytest.fixture
def given(read_models: PostgresReadModels) -> Projection:
    projection, _ = squeamish()
    read_models.prepare([projection])
    return projection


@pytest.fixture
def projecting(pool: Pool, read_models: PostgresReadModels, given: Projection) -> Projector:
    """A read model of two events, which the book has."""
    return projector(pool, read_models, given)


def brought(pool: Pool, position: int, recorded_at: str | None) -> Batch:
    """A topic's next message: an event of deal D9, or of the book's own time."""
    [(own,)] = pool.read("SELECT max(recorded_at)::text FROM event")
    at = recorded_at or own
    payload = '{"deal": "D9", "client": "C", "pipeline": "p", "owner": "ann"}'
    event = Delivered(position, "deal-D9", 1, "deal.assigned", 1, "deal-D9", at, at, payload)
    return Batch(0, position - 1, position, [event], (), at)


def ahead(database: Database, by: int) -> None:
    """As a consumer of the release before left it."""
    query(database, "UPDATE tracking SET position = position + %s RETURNING 1", by)


class TestABatch:
    def test_that_the_book_does_not_have_is_refused(
        self, database: Database, pool: Pool, read_models: PostgresReadModels, given: Projection, projecting: Projector
    ) -> None:
        last = assign(database, [("D1", "ann"), ("D2", "ann")])
        projecting.catch_up(last)
        batch = brought(pool, last + 1, "2026-01-01 00:00:00+00")
        with pytest.raises(Ahead, match="position 3, and the book, which ends at 2, does not have it"):
            read_models.write(given, 1, [batch], fold(given, batch.events), frozenset())
        assert (read_models.position(given), pool.read(BALANCE)) == (last, [("D1", 1), ("D2", 1)])

    def test_that_the_book_has_otherwise_by_now_is_refused(
        self, database: Database, pool: Pool, read_models: PostgresReadModels, given: Projection
    ) -> None:
        assign(database, [("D1", "ann")])
        batch = brought(pool, 1, "2026-01-01 00:00:00+00")
        with pytest.raises(Ahead, match="position 1, and the book, which ends at 1, has something else there"):
            read_models.write(given, 1, [batch], fold(given, batch.events), frozenset())
        assert (read_models.position(given), pool.read(BALANCE)) == (0, [])

    def test_that_the_book_has_as_it_comes_is_taken(
        self, database: Database, pool: Pool, read_models: PostgresReadModels, given: Projection
    ) -> None:
        assign(database, [("D1", "ann")])
        batch = brought(pool, 1, None)
        read_models.write(given, 1, [batch], fold(given, batch.events), frozenset())
        assert read_models.position(given) == 1


class TestAReadModelThatIsAhead:
    @pytest.fixture(autouse=True)
    def _ahead(self, database: Database, projecting: Projector) -> None:
        projecting.catch_up(assign(database, [("D1", "ann"), ("D2", "ann")]))
        ahead(database, 10)

    def test_is_not_shown(self, pool: Pool) -> None:
        def answer(queries: Queries) -> object:
            return queries.answer("given", BALANCE, {})

        def explained(queries: Queries) -> object:
            with queries.moment() as answering:
                return answering.progress("given")

        asked: list[Callable[[Queries], object]] = [answer, explained, lambda queries: queries.progress("given")]
        for ask in asked:
            with pytest.raises(Refusal) as refused:
                ask(Queries(pool))
            assert (refused.value.code, refused.value.facts) == ("ahead", {"position": 12, "log_size": 2})

    def test_is_told_in_its_lag(self, pool: Pool) -> None:
        [lag] = Queries(pool).lags()
        assert (lag.behind_events, lag.ahead_events, lag.behind_seconds) == (0, 10, 0)

    def test_is_not_followed(self, pool: Pool, read_models: PostgresReadModels, given: Projection) -> None:
        def feed(projection: Projection, _: object) -> object:
            return store_feed(pool, read_models, projection, 1)

        follower = Follower(given, read_models, lambda: STORE, feed, lambda p, n: store_feed(pool, read_models, p, n))  # type: ignore[arg-type]
        with pytest.raises(Ahead, match="given is at position 12, and the book ends at 2"):
            follower.turn()

    def test_nor_waited_for(
        self, pool: Pool, read_models: PostgresReadModels, given: Projection, projecting: Projector
    ) -> None:
        with pytest.raises(Ahead, match="to be brought to position 13, and the book ends at 2"):
            projecting.catch_up(13)
        with pytest.raises(Ahead):
            spread(given, 3, read_models, lambda p, n: store_feed(pool, read_models, p, n))
        assert read_models.partitions(given) == 1


def test_a_read_model_of_another_book_takes_nothing(
    database: Database, given: Projection, projecting: Projector
) -> None:
    projecting.catch_up(assign(database, [("D1", "ann")]))
    query(database, "UPDATE ledger SET identity = gen_random_uuid() RETURNING 1")
    assign(database, [("D2", "ann")])
    with pytest.raises(Ahead, match="given was filled from the ledger"):
        projecting.turn()
    assert Generations(database).is_due(given) is False


def test_what_waits_for_longer_than_its_clock_says_is_told_to_wait(
    database: Database, pool: Pool, projecting: Projector
) -> None:
    """A server's clock was ahead for one command: what came after has its time."""
    projecting.catch_up(assign(database, [("D1", "ann")]))
    query(database, "UPDATE tracking SET moved_at = moved_at - interval '1 hour' RETURNING 1")
    assign(database, [("D2", "ann")])
    query(
        database,
        "ALTER TABLE event DISABLE TRIGGER USER;"
        " UPDATE event SET recorded_at = clock_timestamp() + interval '1 day' WHERE position = 2 RETURNING 1",
    )
    [lag] = Queries(pool).lags()
    assert lag.behind_seconds >= 3600
