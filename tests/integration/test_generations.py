"""A generation is filled beside the one that is read, is compared with it, and takes its place; nobody sees both."""

from collections.abc import Iterator
from contextlib import closing
from threading import Event, Thread
from typing import Any

import psycopg2
import pytest

from domain.deals import Assigned
from infra.postgres.connection import Database, Pool
from infra.postgres.differences import differences
from infra.postgres.generations import Behind, Generation, Generations
from infra.postgres.queries import Queries
from infra.postgres.read_models import PostgresReadModels
from projections.projection import Projection
from projections.shapes import Register, Row
from tests.integration.projecting import assign, projector, squeamish
from tests.integration.writing import until

TOLD = [("D1", "ann"), ("D2", "ann"), ("D1", "bob"), ("D3", "bob")]
BALANCE = "SELECT deal, owner, times FROM given_at(NULL, NULL) ORDER BY deal, owner"


@pytest.fixture
def read_models(database: Database) -> Iterator[PostgresReadModels]:
    read_models = PostgresReadModels(database)
    yield read_models
    read_models.close()


@pytest.fixture
def given(database: Database, pool: Pool, read_models: PostgresReadModels) -> Projection:
    """Filled, and read."""
    projection, _ = squeamish()
    read_models.prepare([projection])
    projector(pool, read_models, projection).catch_up(assign(database, TOLD))
    return projection


def times(version: int, factor: int) -> Projection:
    """The same projection, which counts each time so many times."""
    given = Register("given", dimensions={"deal": "text", "owner": "text"}, resources=("times",))

    @given.on(Assigned)
    def assigned(e: Assigned) -> Row:
        return given.move(deal=e.deal, owner=e.owner, times=factor)

    return Projection("given", version, (given,))


def filled(database: Database, pool: Pool, projection: Projection, upto: int, partitions: int = 12) -> Generation:
    new = Generations(database).begin(projection, partitions)
    filling = PostgresReadModels(database, [new])
    projector(pool, filling, projection, partitions).catch_up(upto)
    filling.close()
    return new


@pytest.mark.usefixtures("given")
def test_it_is_filled_beside_and_then_read(database: Database, pool: Pool) -> None:
    before = pool.read(BALANCE, ())
    new = filled(database, pool, times(1, 2), len(TOLD))
    assert pool.read(BALANCE, ()) == before
    Generations(database).swap_soon(new)
    assert pool.read(BALANCE, ()) == [(deal, owner, 2 * each) for deal, owner, each in before]
    assert [(each.number, each.state) for each in Generations(database).list()] == [(1, "old"), (2, "current")]


def test_who_wrote_to_the_old_one_goes_on_with_the_new(
    database: Database, pool: Pool, read_models: PostgresReadModels, given: Projection
) -> None:
    versions = {"D1": 2, "D2": 1, "D3": 1}
    live = projector(pool, read_models, given)
    live.turn()
    new = filled(database, pool, given, len(TOLD))
    Generations(database).swap_soon(new)
    live.catch_up(assign(database, [("D1", "cid")], versions))
    assert ("D1", "cid", 1) in pool.read(BALANCE, ())
    assert len(pool.read("SELECT * FROM given_movement", ())) == len(TOLD) + 1


def test_one_that_is_behind_does_not_take_the_place(database: Database, pool: Pool, given: Projection) -> None:
    new = filled(database, pool, given, 2)
    if pool.read("SELECT 1 FROM tracking WHERE consumer = %s AND position < %s", (new.consumer, len(TOLD))):
        with pytest.raises(Behind):
            Generations(database).swap(new)
    new = Generations(database).begin(times(2, 1), 12)
    with pytest.raises(Behind):
        Generations(database).swap(new)


def test_differences_are_told_row_by_row_and_there_are_none_if_nothing_changed(
    database: Database, pool: Pool, given: Projection
) -> None:
    generations = Generations(database)
    same = filled(database, pool, given, len(TOLD))
    assert differences(pool, generations, same, 10) == []
    generations.drop("given", same.number)
    other = filled(database, pool, times(1, 3), len(TOLD))
    found = differences(pool, generations, other, 3)
    assert [(each.only_in, each.position) for each in found] == [("current", 1), ("filled", 1), ("current", 2)]
    assert "D1,ann,1" in found[0].row
    assert "D1,ann,3" in found[1].row


def test_what_was_broken_off_goes_on_where_it_was(database: Database, pool: Pool, given: Projection) -> None:
    generations = Generations(database)
    begun = filled(database, pool, given, 3, partitions=1)
    again = generations.begin(given, 5)
    assert again == begun
    assert pool.read("SELECT count(*) FROM tracking WHERE consumer = %s", (again.consumer,)) == [(1,)]


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


@pytest.mark.usefixtures("given")
def test_constant_queries_see_no_error_and_no_mixture_in_ten_swaps(database: Database, pool: Pool) -> None:
    """Each generation multiplies by its number: a mixture would show two factors, or sums that differ."""
    sql = """
        SELECT (SELECT array_agg(DISTINCT times) FROM given_movement), (SELECT sum(times) FROM given_at(NULL, NULL)),
               (SELECT sum(times) FROM given_movement), (SELECT sum(times_in) FROM given_turnover)
    """
    stopped, seen, errors = Event(), set[Any](), list[BaseException]()

    def ask() -> None:
        while not stopped.is_set():
            try:
                [(factors, *sums)] = pool.read(sql, ())
                seen.add((tuple(factors), len(set(sums))))
            except Exception as error:
                errors.append(error)
                return

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2, 12):
        Generations(database).swap_soon(filled(database, pool, times(number, number), len(TOLD), 1))
    stopped.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {len(factors) for factors, _ in seen} == {1}
    assert {distinct for _, distinct in seen} == {1}
    assert len(seen) > 2


@pytest.mark.usefixtures("given")
def test_a_swap_gives_way_to_an_answer_of_several_questions(database: Database, pool: Pool) -> None:
    new = filled(database, pool, times(2, 2), len(TOLD), 1)
    with Queries(pool).moment(holding=["given_movement"]) as answering:
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            Generations(database).swap(new)
        assert answering.rows("SELECT sum(times) AS times FROM given_movement", {}) == [{"times": 4}]
        assert answering.rows("SELECT sum(times_in) AS times FROM given_turnover", {}) == [{"times": 4}]
    Generations(database).swap(new)
    assert pool.read("SELECT sum(times) FROM given_movement") == [(8,)]


@pytest.fixture
def busy_autovacuum(database: Database) -> Iterator[None]:
    """It looks for work each second."""
    with closing(database.connect(as_owner=True)) as owner, owner.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
        cursor.execute("SELECT pg_reload_conf()")
        yield
        cursor.execute("ALTER SYSTEM RESET autovacuum_naptime")
        cursor.execute("SELECT pg_reload_conf()")


SLOWLY = """
ALTER TABLE {table} SET (autovacuum_vacuum_insert_threshold = 0, autovacuum_vacuum_insert_scale_factor = 0,
                         autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)
"""
VACUUMED = "SELECT FROM pg_stat_progress_vacuum WHERE relid = '{table}'::regclass"
ROWS = "INSERT INTO {table} SELECT '2020-01-01', n, '', 0, 0 FROM generate_series(1, 100000) n"


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("given", "busy_autovacuum")
@pytest.mark.parametrize("side", ["read", "filled"])
def test_a_swap_does_not_wait_until_autovacuum_has_done_with_the_tables(
    database: Database, pool: Pool, side: str
) -> None:
    """It would take some minutes. What waits for a tenth of a second only is nothing that autovacuum gives way to."""
    new = filled(database, pool, times(2, 2), len(TOLD), 1)
    generations = Generations(database)
    schema = database.read_schema if side == "read" else generations.schema("given", new.number)
    with closing(database.connect(as_owner=True)) as owner, owner.cursor() as cursor:
        cursor.execute(ROWS.format(table=f"{schema}.given_turnover"))
        cursor.execute(SLOWLY.format(table=f"{schema}.given_turnover"))
        until(lambda: cursor.execute(VACUUMED.format(table=f"{schema}.given_turnover")) or cursor.rowcount)
    generations.swap_soon(new)
    assert pool.read("SELECT sum(times) FROM given_movement") == [(8,)]


@pytest.mark.usefixtures("given")
def test_a_long_query_does_not_stop_others_from_reading_while_a_swap_waits_for_it(
    database: Database, pool: Pool
) -> None:
    new = filled(database, pool, times(1, 2), len(TOLD))
    long = database.connect(autocommit=False)
    with long.cursor() as cursor:
        cursor.execute("SELECT * FROM given_movement")
    swapping = Thread(target=Generations(database).swap_soon, args=(new,))
    swapping.start()
    for _ in range(20):
        assert {row[2] for row in pool.read(BALANCE, ())} == {1}
    assert swapping.is_alive()
    long.close()
    swapping.join()
    assert {row[2] for row in pool.read(BALANCE, ())} == {2}


@pytest.mark.usefixtures("given")
def test_a_current_generation_is_not_dropped(database: Database, pool: Pool) -> None:
    Generations(database).drop("given", 1)
    assert len(pool.read(BALANCE, ())) == len(TOLD)
