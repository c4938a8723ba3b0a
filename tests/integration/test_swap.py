"""A generation takes the place of another in one transaction: nobody sees both, and nobody has to wait for it."""

from collections.abc import Iterator
from contextlib import closing
from threading import Event, Thread
from typing import Any

import psycopg2
import pytest

from infra.postgres.connection import Database, Pool
from infra.postgres.differences import differences
from infra.postgres.generations import Dropped, Generations, LookedAt
from infra.postgres.giving_way import lock
from infra.postgres.queries import Queries
from projections.projection import Projection
from tests.integration.generating import BALANCE, TOLD, filled, times
from tests.integration.writing import until


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

    threads = [Thread(target=ask) for _ in range(2)]
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
    for _ in range(200):
        assert {row[2] for row in pool.read(BALANCE, ())} == {1}
    assert swapping.is_alive()
    long.close()
    swapping.join()
    assert {row[2] for row in pool.read(BALANCE, ())} == {2}


def test_a_table_that_somebody_has_dropped_comes_back(database: Database, pool: Pool, given: Projection) -> None:
    with closing(database.connect(as_owner=True)) as owner:
        owner.cursor().execute(f"DROP TABLE {database.read_schema}.given_balance CASCADE")
    new = filled(database, pool, given, len(TOLD))
    assert differences(pool, Generations(database), new, 10).rows == []
    Generations(database).swap_soon(new)
    assert len(pool.read(BALANCE)) == len(TOLD)


def test_one_that_was_dropped_is_not_waited_for(database: Database, pool: Pool, given: Projection) -> None:
    new = filled(database, pool, given, len(TOLD))
    Generations(database).drop("given", new.number)
    with pytest.raises(Dropped):
        Generations(database).swap_soon(new)


@pytest.fixture
def analyst(database: Database) -> Iterator[str]:
    """A role that may read what there is."""
    name = f"analyst_{database.schema}"
    with closing(database.connect(as_owner=True)) as owner, owner.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {database.schema}, {database.read_schema} TO {name}")
        yield name
        cursor.execute(f"DROP OWNED BY {name}")
        cursor.execute(f"DROP ROLE {name}")


def test_who_might_read_the_old_one_may_read_the_new(
    database: Database, pool: Pool, given: Projection, analyst: str
) -> None:
    with closing(database.connect(as_owner=True)) as owner, owner.cursor() as cursor:
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {database.read_schema} TO {analyst}")
        cursor.execute("GRANT SELECT ON given_balance TO PUBLIC")
        Generations(database).swap_soon(filled(database, pool, given, len(TOLD)))
        cursor.execute(f"SET ROLE {analyst}")
        cursor.execute(BALANCE)
        assert cursor.rowcount == len(TOLD)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("DELETE FROM given_balance")
        cursor.execute("SELECT has_table_privilege('public', 'given_balance', 'SELECT')")
        assert cursor.fetchone() == (True,)


def test_one_that_somebody_has_made_views_of_is_not_dropped(database: Database, pool: Pool, given: Projection) -> None:
    with closing(database.connect(as_owner=True)) as owner, owner.cursor() as cursor:
        cursor.execute(f"CREATE VIEW {database.schema}.mine AS SELECT deal FROM given_balance")
        Generations(database).swap_soon(filled(database, pool, given, len(TOLD)))
        with pytest.raises(LookedAt, match="mine"):
            Generations(database).drop("given", 1)
        cursor.execute(f"DROP VIEW {database.schema}.mine")
    Generations(database).drop("given", 1)
    assert [each.number for each in Generations(database).list()] == [2]


def test_a_swap_does_not_wait_for_another_ledger(database: Database, pool: Pool, given: Projection) -> None:
    new = filled(database, pool, given, len(TOLD))
    other = Database(database.dsn, f"{database.schema}_other")
    with closing(database.connect(autocommit=False)) as busy, busy.cursor() as cursor:
        lock(cursor, other, "given")
        Generations(database).swap(new)
