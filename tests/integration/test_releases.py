"""A release whose projection changed starts while others run: the one before, several of its own, a rebuild."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest

from consumers.follower import Follower
from consumers.ports import Moved, Superseded, Topic
from consumers.spread import spread
from infra.postgres.connection import Database, Pool
from infra.postgres.generations import Generations
from infra.postgres.one_rebuild import BeingRebuilt, is_being_rebuilt, one_rebuild
from infra.postgres.queries import Queries
from infra.postgres.read_models import PostgresReadModels
from projections.projection import Projection
from tests.integration.generating import BALANCE, TOLD, filled, times
from tests.integration.projecting import assign, projector, store_feed

AGAIN = {"D1": 2, "D2": 1, "D3": 1}
"""The versions of the deals that were told of."""


@pytest.fixture
def release(database: Database, given: Projection) -> Iterator[PostgresReadModels]:
    """It has begun to fill its version, the second."""
    release = PostgresReadModels(database)
    release.prepare([times(given.version + 1, 5)])
    yield release
    release.close()


def factors(pool: Pool) -> set[object]:
    return {row[2] for row in pool.read(BALANCE)}


@pytest.mark.usefixtures("given")
def test_another_version_is_filled_by_its_consumers_and_then_read(database: Database, pool: Pool) -> None:
    """A release whose projection changed starts: it is read as it was, until the new one has caught up."""
    before = pool.read(BALANCE, ())
    changed = times(2, 5)
    release = PostgresReadModels(database)
    release.prepare([changed])
    projecting = projector(pool, release, changed)
    assert pool.read(BALANCE, ()) == before
    projecting.turn()
    assert pool.read(BALANCE, ()) == before
    projecting.turn()
    assert pool.read(BALANCE, ()) == [(deal, owner, 5 * each) for deal, owner, each in before]
    assert Queries(pool).progress("given").version == 2
    projecting.catch_up(assign(database, [("D4", "ann")]))
    assert ("D4", "ann", 5) in pool.read(BALANCE, ())
    release.close()


@pytest.mark.usefixtures("given")
def test_two_consumers_of_a_new_version_fill_it_together(database: Database, pool: Pool) -> None:
    changed = times(2, 5)
    both = [PostgresReadModels(database), PostgresReadModels(database)]
    for each in both:
        each.prepare([changed])
    projectors = [projector(pool, each, changed) for each in both]
    for _ in range(4):
        for each in projectors:
            each.turn()
    assert {row[2] for row in pool.read(BALANCE, ())} == {5}
    for each in both:
        each.close()


def test_the_release_before_does_not_add_its_rows_to_those_of_the_new_one(
    database: Database, pool: Pool, read_models: PostgresReadModels, given: Projection, release: PostgresReadModels
) -> None:
    before = projector(pool, read_models, given)
    before.turn()
    projector(pool, release, times(2, 5)).catch_up(len(TOLD))
    assign(database, [("D1", "cid")], dict(AGAIN))
    with pytest.raises(Superseded):
        before.turn()
    assert factors(pool) == {5}


def test_what_was_dropped_while_a_release_fills_it_is_begun_again(
    database: Database, pool: Pool, release: PostgresReadModels
) -> None:
    filling = projector(pool, release, times(2, 5))
    filling.feed.read()
    Generations(database).drop("given", 2)
    assert filling.turn() == 0
    assert factors(pool) == {1}
    filling.catch_up(assign(database, [("D1", "cid")], dict(AGAIN)))
    assert factors(pool) == {5}


def test_what_was_swapped_twice_meanwhile_is_not_filled_again(
    database: Database, pool: Pool, release: PostgresReadModels
) -> None:
    filling = projector(pool, release, times(2, 5))
    filling.feed.read()
    for _ in range(2):
        Generations(database).swap_soon(filled(database, pool, times(2, 5), len(TOLD), 1))
    assert filling.turn() == 0
    filling.catch_up(assign(database, [("D1", "cid")], dict(AGAIN)))
    assert [each.state for each in Generations(database).list()] == ["old", "old", "current"]
    assert ("D1", "cid", 5) in pool.read(BALANCE)


def follower(pool: Pool, read_models: PostgresReadModels, projection: Projection) -> Follower:
    """As a server follows the store."""
    store = partial(store_feed, pool, read_models)
    return Follower(projection, read_models, lambda: Topic("", 1), lambda p, topic: store(p, topic.partitions), store)


def test_a_release_waits_for_a_rebuild_of_what_it_fills_and_goes_on_if_that_ends_before_its_time(
    database: Database, pool: Pool, release: PostgresReadModels
) -> None:
    changed = times(2, 5)
    server = follower(pool, release, changed)
    with (
        one_rebuild(database, [changed]),
        closing(PostgresReadModels(database, [Generations(database).begin(changed, 12)])) as rebuild,
    ):
        spread(changed, 12, rebuild, partial(store_feed, pool, rebuild))
        assert server.turn() == 0
        assert rebuild.partitions(changed) == 12
    for _ in range(4):
        server.turn()
    assert factors(pool) == {5}


def test_who_finds_what_is_read_in_other_partitions_says_so(
    database: Database, pool: Pool, read_models: PostgresReadModels, given: Projection
) -> None:
    """And does not take it back: somebody else follows it so."""
    server = follower(pool, read_models, given)
    server.turn()
    with closing(PostgresReadModels(database)) as other:
        spread(given, 12, other, partial(store_feed, pool, other))
    assign(database, [("D1", "cid")], dict(AGAIN))
    assert server.turn() == 0  # what was at hand was overtaken
    with pytest.raises(Moved):
        server.turn()
    assert read_models.partitions(given) == 12


def test_two_rebuilds_do_not_share_a_read_model(database: Database) -> None:
    first = one_rebuild(database, [times(1, 1)])
    with first, pytest.raises(BeingRebuilt, match="given"), one_rebuild(database, [times(1, 1)]):
        pass


def test_a_rebuild_that_has_ended_is_in_nobodys_way(database: Database, pool: Pool) -> None:
    with pool.connection() as connection, connection.cursor() as cursor:
        for _ in range(20):
            with one_rebuild(database, [times(1, 1)]):
                pass
            assert not is_being_rebuilt(cursor, database, times(1, 1))
            connection.commit()
