"""Rows and progress are one commit, in each partition, whoever else writes."""

from collections.abc import Iterator
from threading import Thread

import pytest

from consumers.ports import Batch, Moved, Overtaken
from consumers.projector import fold
from infra.partitions import partition_of
from infra.postgres.connection import Database, Pool
from infra.postgres.feed import StoreFeed
from infra.postgres.queries import Queries
from infra.postgres.read_models import PostgresReadModels
from tests.integration.projecting import assign, owners, projector, squeamish

PARTITIONS = 12


@pytest.fixture
def two(database: Database) -> Iterator[tuple[PostgresReadModels, PostgresReadModels]]:
    both = PostgresReadModels(database), PostgresReadModels(database)
    yield both
    for each in both:
        each.close()


def test_two_partitions_that_tell_of_one_key_at_once_both_count(
    database: Database, pool: Pool, two: tuple[PostgresReadModels, PostgresReadModels]
) -> None:
    """Without the lock each would merge what it sees, and the second would write over the first."""
    projection = owners()
    two[0].prepare([projection], PARTITIONS)
    deals = [f"D{number}" for number in range(40)]
    last = assign(database, [(deal, "ann") for deal in deals])
    feed = StoreFeed(pool, projection.types, PARTITIONS, lambda: two[0].places(projection, PARTITIONS))
    batches = feed.read()
    halves = [batches[::2], batches[1::2]]

    def write(read_models: PostgresReadModels, half: list[Batch]) -> None:
        for batch in half:
            read_models.write(projection, PARTITIONS, [batch], fold(projection, batch.events), frozenset())

    threads = [Thread(target=write, args=each) for each in zip(two, halves, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert two[0].position(projection) == last
    [(facts,)] = pool.read("SELECT facts FROM owner WHERE key = 'ann'", ())
    assert facts.keys() == set(deals)


def test_who_reads_by_another_number_of_partitions_writes_nothing(
    database: Database, pool: Pool, two: tuple[PostgresReadModels, PostgresReadModels]
) -> None:
    projection, _ = squeamish()
    two[0].prepare([projection], 2)
    last = assign(database, [("D1", "ann")])
    late = projector(pool, two[1], projection, 2)
    read = late.feed.read()
    two[0].spread(projection, 3)
    with pytest.raises(Overtaken):
        two[1].write(projection, 2, read, fold(projection, read[0].events), frozenset())
    late.feed.rewind()
    with pytest.raises(Moved):
        late.turn()
    projector(pool, two[0], projection, 3).catch_up(last)
    assert pool.read("SELECT deal, times FROM given_balance", ()) == [("D1", 1)]


def test_a_read_model_whose_partitions_differ_does_not_move_to_another_number(
    database: Database, two: tuple[PostgresReadModels, PostgresReadModels]
) -> None:
    projection, _ = squeamish()
    two[0].prepare([projection], 2)
    last = assign(database, [("D1", "ann")])
    two[0].write(projection, 2, [Batch(1, 0, last, [])], {}, frozenset())
    with pytest.raises(Overtaken):
        two[0].spread(projection, 3)
    assert two[0].partitions(projection) == 2


def test_a_commit_is_seen_when_its_own_partitions_have_got_there_and_not_before(
    database: Database, pool: Pool, two: tuple[PostgresReadModels, PostgresReadModels]
) -> None:
    """Whatever the others do: some are ahead, some are idle."""
    projection, _ = squeamish()
    two[0].prepare([projection], PARTITIONS)
    last = assign(database, [("D1", "ann"), ("D2", "ann")])
    own, other = (partition_of(f"deal-{deal}", PARTITIONS) for deal in ("D2", "D1"))
    assert own != other
    queries = Queries(pool)
    two[0].write(projection, PARTITIONS, [Batch(other, 0, last, [])], {}, frozenset())
    assert not queries.has("given", last)
    assert queries.has("given", last - 1)
    two[0].write(projection, PARTITIONS, [Batch(own, 0, last, [])], {}, frozenset())
    assert queries.has("given", last)
    assert not queries.has("given", last + 1)


@pytest.mark.parametrize(("whole", "half"), [("10:00:00+00", "10:00:00.5+00"), ("10:00:00Z", "10:00:00.5Z")])
def test_what_happens_within_a_second_counts_however_its_time_is_spelled(
    database: Database, pool: Pool, two: tuple[PostgresReadModels, PostgresReadModels], whole: str, half: str
) -> None:
    projection, _ = squeamish()
    two[0].prepare([projection])
    last = assign(database, [("D1", "ann"), ("D2", "ann")])
    [batch] = StoreFeed(pool, projection.types, 1, lambda: two[0].places(projection, 1)).read()
    events = [
        event._replace(effective_at=f"2026-01-01 {time}")
        for event, time in zip(batch.events, (whole, half), strict=True)
    ]
    two[0].write(projection, 1, [batch], fold(projection, events), frozenset())
    assert two[0].position(projection) == last
    assert pool.read("SELECT deal, times FROM given_balance ORDER BY deal", ()) == [("D1", 1), ("D2", 1)]
