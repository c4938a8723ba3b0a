"""Each invariant, broken by hand alone, is found and named with its cell and its events; what is right passes."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from threading import Thread
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from infra.postgres.checks import Checks, Violation, invariants
from infra.postgres.connection import Database, Pool
from infra.postgres.generations import Generations
from infra.postgres.queries import Queries
from infra.postgres.read_models import PostgresReadModels
from projections import PROJECTIONS
from projections.projection import Projection
from tests.e2e.cli import Cli
from tests.e2e.load import eventually
from tests.integration.projecting import projector

_numbers = count(1)
HERE = "(SELECT oid FROM pg_database WHERE datname = current_database())"
LOCKS = f"SELECT count(*) FROM pg_locks WHERE database = {HERE}"
WAITING = f"{LOCKS} AND NOT granted"
BY_NAME = {projection.name: projection for projection in PROJECTIONS}


@dataclass(frozen=True)
class Break:
    """What is done by hand, and the one invariant that it breaks."""

    projection: str
    invariant: str
    sql: str
    cell: Mapping[str, Any]
    told: str


def one(table: str, where: str = "true") -> str:
    """A row of a table, always the same one."""
    return f"ctid = (SELECT min(ctid) FROM {table} WHERE {where})"


BREAKS = [
    Break(
        "stock",
        "turnovers",
        f"UPDATE stock_turnover SET on_hand_in = on_hand_in + 1 WHERE {one('stock_turnover')}",
        {"table": "stock_turnover"},
        "on_hand_in",
    ),
    Break(
        "receivables",
        "turnovers",
        f"DELETE FROM payments_turnover WHERE {one('payments_turnover', 'received_in > 0')}",
        {"table": "payments_turnover"},
        "received_in is not there",
    ),
    Break(
        "receivables",
        "balances",
        f"UPDATE sales_balance SET amount = amount + 0.01 WHERE {one('sales_balance')}",
        {"table": "sales_balance"},
        "amount",
    ),
    Break(
        "receivables",
        "balances",
        f"DELETE FROM payments_balance WHERE {one('payments_balance', 'received > 0')}",
        {"table": "payments_balance"},
        "received is not there",
    ),
    Break(
        "receivables",
        "settled",
        "INSERT INTO sales_balance (client, currency, amount) VALUES ('nobody', 'EUR', 0.00)",
        {"table": "sales_balance", "client": "nobody"},
        "must be not there; no events",
    ),
    Break(
        "receivables",
        "events",
        f"UPDATE sales_movement SET recorded_at = recorded_at + interval '1 us' WHERE {one('sales_movement')}",
        {"table": "sales_movement"},
        "event",
    ),
    Break(
        "timeline",
        "events",
        f"UPDATE timeline SET type = 'deal.dreamt' WHERE {one('timeline')}",
        {"table": "timeline"},
        "deal.dreamt",
    ),
    Break(
        "timeline",
        "events",
        f"UPDATE timeline SET effective_at = effective_at - interval '1 us' WHERE {one('timeline')}",
        {"table": "timeline"},
        "event",
    ),
    Break(
        "timeline",
        "events",
        f"UPDATE timeline SET position = 0 WHERE {one('timeline')}",
        {"table": "timeline", "position": 0},
        "must be not there",
    ),
    Break(
        "timeline",
        "lines",
        f"INSERT INTO timeline SELECT * FROM timeline WHERE {one('timeline')}",
        {"table": "timeline"},
        "lines is 0, 0, must be 0;",
    ),
    Break(
        "clients",
        "lines",
        f"UPDATE client_version SET line = 1 WHERE {one('client_version')}",
        {"table": "client_version"},
        "lines is 1, must be 0;",
    ),
    Break(
        "timeline",
        "reached",
        "UPDATE grossbuch.tracking SET position = (SELECT max(position) - 1 FROM timeline) WHERE consumer = 'timeline'",
        {"table": "timeline"},
        "must be at most",
    ),
    Break(
        "products",
        "parked",
        "INSERT INTO grossbuch.quarantine (projection, stream, order_key, version, position, error)"
        " SELECT 'products', e.stream, e.order_key, e.version, e.position, 'by hand'"
        " FROM grossbuch.event e JOIN product_version v USING (position) ORDER BY position LIMIT 1",
        {"table": "product_version"},
        "version is 1, must be below 1",
    ),
    Break(
        "deals",
        "intervals",
        "CREATE OR REPLACE VIEW touch_interval AS SELECT *, effective_at AS left_at FROM touch",
        {"table": "touch_interval"},
        "interval",
    ),
    Break(
        "timeline",
        "intervals",
        "CREATE OR REPLACE VIEW timeline_interval AS SELECT *, lead(effective_at) OVER (PARTITION BY client"
        f" ORDER BY effective_at, position, line) AS left_at FROM timeline WHERE NOT {one('timeline')}",
        {"table": "timeline_interval"},
        "is not there",
    ),
    Break(
        "clients",
        "facts",
        f"""UPDATE client SET facts = facts || '{{"name": "Somebody"}}' WHERE {one("client")}""",
        {"table": "client"},
        "Somebody",
    ),
    Break(
        "warehouses",
        "facts",
        f"DELETE FROM warehouse WHERE {one('warehouse')}",
        {"table": "warehouse"},
        "is not there",
    ),
    Break(
        "products",
        "facts",
        f"UPDATE product SET position = position + 1 WHERE {one('product')}",
        {"table": "product"},
        "card",
    ),
    Break(
        "deals",
        "standing",
        "UPDATE deal_history SET stage = 'nowhere' WHERE"
        " ctid = (SELECT min(ctid) FROM deal_history WHERE outcome = 'open' AND type = 'deal.moved')",
        {"figure": "/v1/funnel/snapshot"},
        "deals",
    ),
    Break(
        "receivables",
        "buckets",
        "; ".join(
            f"UPDATE receivables_{table} SET kind = 'other' WHERE document ="
            " (SELECT min(document) FROM receivables_movement WHERE kind IN ('other', 'payment') AND document IN"
            "   (SELECT document FROM receivables_movement GROUP BY document HAVING sum(amount) <> 0))"
            for table in ("balance", "turnover", "movement")
        ),
        {"figure": "/v1/receivables/ageing"},
        "buckets and unapplied",
    ),
    Break(
        "stock",
        "lots",
        "CREATE OR REPLACE FUNCTION stock_balances(as_of timestamptz, known_at bigint, moment timestamptz)"
        " RETURNS SETOF stock_balance"
        " LANGUAGE sql STABLE AS"
        " 'SELECT * FROM stock_balance WHERE product > (SELECT min(product) FROM stock_balance)'",
        {"figure": "/v1/stock/balances"},
        "on_hand is not there",
    ),
]


@contextmanager
def session(dsn: str) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@pytest.fixture(scope="module")
def wholesale(dsn: str) -> str:
    """A database with the wholesale company, to be copied."""
    name = f"wholesale{os.getpid()}"
    with session(dsn) as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    Cli(make_dsn(dsn, dbname=name), "grossbuch")("import", "wholesale", "--new")
    return name


@pytest.fixture
def copied(dsn: str, wholesale: str) -> Iterator[Database]:
    name = f"{wholesale}_{next(_numbers)}"
    with session(dsn) as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {wholesale}")
    yield Database(make_dsn(dsn, dbname=name))
    with session(dsn) as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def by_hand(database: Database, sql: str) -> None:
    """What nobody should do."""
    with session(database.dsn) as cursor:
        cursor.execute(f"SET search_path = {database.read_schema}")
        cursor.execute(sql)
        assert cursor.rowcount != 0


def violations(database: Database) -> Sequence[Violation]:
    with closing(Checks(database)) as checks:
        return [violation for projection in PROJECTIONS for violation in checks.run(projection, 20).violations]


def test_nothing_is_found_in_the_wholesale_company(copied: Database) -> None:
    assert [violation.sentence for violation in violations(copied)] == []


def test_every_invariant_is_broken_here() -> None:
    there = {invariant.name for projection in PROJECTIONS for invariant in invariants(projection)}
    assert {each.invariant for each in BREAKS} == there
    assert all(invariant.meaning.endswith(".") for p in PROJECTIONS for invariant in invariants(p))


@pytest.mark.parametrize("broken", BREAKS, ids=[f"{each.invariant}-{n}" for n, each in enumerate(BREAKS)])
def test_what_is_broken_is_found_and_named_and_nothing_else(copied: Database, broken: Break) -> None:
    by_hand(copied, broken.sql)
    found = violations(copied)
    assert {(each.projection, each.invariant) for each in found} == {(broken.projection, broken.invariant)}
    [told] = [each for each in found if broken.told in each.sentence][:1] or [found[0]]
    assert broken.told in told.sentence
    assert broken.cell.items() <= told.cell.items()
    assert told.found != told.expected
    assert told.positions or "no events" in broken.told


def test_the_events_behind_are_those_of_the_cell(copied: Database) -> None:
    by_hand(copied, f"UPDATE sales_balance SET amount = amount + 1 WHERE {one('sales_balance')}")
    [found] = violations(copied)
    with Pool(copied) as pool:
        sql = "SELECT position FROM sales_movement WHERE client = %s AND currency = %s ORDER BY position LIMIT 10"
        behind = pool.read(sql, (found.cell["client"], found.cell["currency"]))
    assert list(found.positions) == [position for (position,) in behind]


def test_so_many_are_told_and_all_are_counted(copied: Database) -> None:
    by_hand(copied, "UPDATE client SET facts = '{}'")
    with Pool(copied) as pool, closing(Checks(copied)) as checks:
        [(clients,)] = pool.read("SELECT count(*) FROM client")
        report = checks.run(BY_NAME["clients"], 2)
    assert clients > 2
    assert (len(report.violations), report.violated["facts"]) == (2, clients)


def test_one_that_another_version_has_filled_is_not_checked(copied: Database) -> None:
    was = BY_NAME["clients"]
    with closing(Checks(copied)) as checks:
        assert checks.run(Projection(was.name, was.version + 1, was.shapes), 1).checked == []
        assert len(checks.run(was, 1).checked) == len(invariants(was))


def test_a_check_that_is_cancelled_ends_and_lets_go(copied: Database) -> None:
    checks, ended = Checks(copied), list[BaseException]()

    def run() -> None:
        try:
            checks.run(BY_NAME["stock"], 1)
        except psycopg2.errors.QueryCanceled as error:
            ended.append(error)

    thread = Thread(target=run)
    with Pool(copied) as pool, session(copied.dsn) as other:
        other.execute(f"BEGIN; LOCK TABLE {copied.read_schema}.stock_balance")
        thread.start()
        eventually(lambda: pool.read(f"{WAITING} AND locktype = 'relation'")[0][0] == 1)
        checks.cancel()
        thread.join()
        other.execute("ROLLBACK")
        assert len(ended) == 1
        eventually(lambda: pool.read(f"{LOCKS} AND locktype = 'advisory'") == [(0,)])
    with closing(checks):
        assert checks.run(BY_NAME["stock"], 1).violations == []


def test_a_swap_waits_for_the_check_and_holds_up_nobody(copied: Database) -> None:
    stock = BY_NAME["stock"]
    generations = Generations(copied)
    new = generations.begin(stock, 1)
    with Pool(copied) as pool, closing(PostgresReadModels(copied, [new])) as filling, closing(Checks(copied)) as checks:
        projector(pool, filling, stock).catch_up(Queries(pool).log_size())
        swap = Thread(target=generations.swap_soon, args=(new,))

        def meanwhile(_: int) -> None:
            if not swap.ident:
                swap.start()
                eventually(lambda: pool.read(f"{WAITING} AND locktype = 'advisory'")[0][0] == 1)
            pool.read("SET lock_timeout = '50ms'; SELECT count(*) FROM stock_balance")

        report = checks.run(stock, 5, meanwhile)
        swap.join()
        assert report.violations == []
        states = [each.state for each in generations.list() if each.projection == "stock"]
        assert states == ["old", "current"]
        assert checks.run(stock, 5).violations == []
