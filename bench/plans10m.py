"""How each question on stock and receivables is answered over ten million movements of five years: its plan, with what
it did and how long it took, goes to docs/reference/plans-10m.md.

    python -m bench.plans10m [MOVEMENTS]
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import psycopg2
from psycopg2.extensions import cursor as Cursor

from api.querying import ask
from api.service import Service, open_service
from bench.measure import server
from bench.queries import Recorded, move
from infra.postgres.connection import Database
from infra.settings import Settings
from projections import QUERIES
from projections.payments import payments
from projections.receivables import receivables
from projections.sales import sales
from projections.stock import stock

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "plans-10m.md"
MOVEMENTS = 10_000_000
PRODUCTS, WAREHOUSES, CLIENTS = 5_000, 3, 5_000
YEARS = (2021, 2022, 2023, 2024, 2025)
PERIOD = {"from": "2024-02-10", "to": "2024-05-20"}
REPEATS = 5

QUESTIONS: Sequence[tuple[str, Mapping[str, str]]] = (
    ("/v1/stock/balances", {"product": "P7"}),
    ("/v1/stock/balances", {"product": "P7", "as_of": "2024-06-15"}),
    ("/v1/stock/balances", {"product": "P7", "as_of": "2024-06-30"}),
    ("/v1/stock/balances", {"product": "P7", "known_at": "5000000"}),
    ("/v1/stock/balances", {"group_by": "warehouse"}),
    ("/v1/stock/balances", {"group_by": "warehouse", "as_of": "2024-06-15"}),
    ("/v1/stock/turnovers", {"product": "P7", **PERIOD}),
    ("/v1/stock/turnovers", {"group_by": "warehouse", **PERIOD}),
    ("/v1/stock/movements", {"product": "P7", **PERIOD}),
    ("/v1/stock/restatements", {"product": "P7", "after": "9000000"}),
    ("/v1/receivables/ageing", {"client": "C7"}),
    ("/v1/receivables/ageing", {"client": "C7", "as_of": "2024-06-15"}),
    ("/v1/receivables/ageing", {"as_of": "2024-06-15"}),
    ("/v1/receivables/open-items", {"client": "C7"}),
    ("/v1/receivables/statement", {"client": "C7", **PERIOD}),
    ("/v1/receivables/dso", PERIOD),
    ("/v1/receivables/exposure", {"client": "C7"}),
    ("/v1/receivables/restatements", {"client": "C7", "after": "9000000"}),
    ("/v1/payments/summary", {"group_by": "direction", **PERIOD}),
    ("/v1/clients/classes", {"method": "abc", "measure": "sales", **PERIOD}),
)

HEAD = """# Plans over ten million movements

How PostgreSQL answers each question on stock and receivables over {movements:,} movements of stock, and a tenth as many
each of receivables, sales and payments, in the {months} months of five years, as last measured by
`python -m bench.plans10m`. The time is that of the whole answer, the median of {repeats}. Of months that are looked at
in the same way the first is shown.
"""


def main(size: int = MOVEMENTS) -> None:
    with server() as dsn, open_service(Settings(DATABASE_URL=dsn, ledger="bench_plans")) as service:
        started = perf_counter()
        _fill(service.pool.database, size)
        print(f"filled in {perf_counter() - started:.0f} s", flush=True)
        sections = [_section(service, path, asked) for path, asked in QUESTIONS]
    head = HEAD.format(movements=size, months=12 * len(YEARS), repeats=REPEATS)
    PAGE.write_text("\n".join([head, *sections]), encoding="utf-8")


def _fill(database: Database, size: int) -> None:
    """The other registers after stock, each over all of the time."""
    part = size // 10
    whose = f"'C' || mod(n * 7919, {CLIENTS})"
    item = f"{whose} AS client, {whose} AS counterparty, 'EUR' AS currency, 'invoice' AS kind, 'I' || n AS document"
    due = f"'{YEARS[0]}-01-01'::date + mod(n, 1800)::int AS due_on, 'I' || n AS entry, 10 AS amount"
    paid = f"{whose} AS client, 'bank' AS bank_account, 'in' AS direction, 'EUR' AS currency, 10 AS received"
    place = f"'P' || mod(n * 7919, {PRODUCTS}) AS product, 'W' || mod(n, {WAREHOUSES}) AS warehouse"
    connection = psycopg2.connect(database.dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {database.read_schema}, {database.schema}; SET TIME ZONE 'UTC'")
        move(cursor, stock, 1, size, f"{place}, mod(n, 7) - 2 AS on_hand", YEARS)
        move(cursor, receivables, size + 1, size + part, f"{item}, {due}", YEARS)
        move(
            cursor,
            sales,
            size + part + 1,
            size + 2 * part,
            f"{whose} AS client, 'EUR' AS currency, 10 AS amount",
            YEARS,
        )
        more = "0 AS refunded, 0 AS bounced"
        move(cursor, payments, size + 2 * part + 1, size + 3 * part, f"{paid}, {more}", YEARS)
        _cards(cursor, size + 3 * part)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def _cards(cursor: Cursor, size: int) -> None:
    """What the questions look up beside movements."""
    invoices = 'SELECT document, $${"issued_on": "2021-01-01"}$$, effective_at, position FROM receivables_movement'
    cursor.execute(f"INSERT INTO invoice (key, facts, effective_at, position) {invoices}")
    client = (
        f"SELECT 'C' || n AS key, jsonb_build_object('client.C' || n, 1) AS facts FROM generate_series(0, {CLIENTS}) n"
    )
    cursor.execute(f"INSERT INTO debtor SELECT key, facts, '{YEARS[0]}-01-01', 1 FROM ({client}) client")
    version = "INSERT INTO debtor_version (position, line, effective_at, recorded_at, type, key, patch)"
    cursor.execute(f"{version} SELECT 1, 0, '{YEARS[0]}-01-01', now(), 'generated', key, facts FROM ({client}) client")
    cursor.execute("UPDATE head SET position = %s", (size,))
    cursor.execute("UPDATE tracking SET position = %s", (size,))


def _section(service: Service, path: str, asked: Mapping[str, str]) -> str:
    query = next(query for query in QUERIES if query.path == path)
    given = query.parameters.model_validate(asked)
    recorded = Recorded(service.queries._pool)
    times = []
    for _ in range(REPEATS):
        started = perf_counter()
        ask(recorded, service.ledger, query, given)
        times.append((perf_counter() - started) * 1000)
    plan = _plan(service.pool.database, recorded.statements[0])
    title = f"{path}?{'&'.join(f'{name}={value}' for name, value in asked.items())}"
    said = f"{sorted(times)[REPEATS // 2]:,.1f} ms; months: {_months(plan)}; {_pages(plan):,} pages."
    print(f"{title}: {said}", flush=True)
    return f"## `{title}`\n\n{said}\n\n```\n" + "\n".join(_shortened(plan)) + "\n```\n"


def _plan(database: Database, statement: str) -> Sequence[str]:
    """As it is once pages and functions are at hand."""
    connection = database.connect()
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}")
            lines = [line for (line,) in cursor.fetchall()]
    connection.close()
    return lines


def _pages(plan: Sequence[str]) -> int:
    """That its first node has touched, with all under it."""
    told = next((line for line in plan if "Buffers: shared" in line), "")
    return sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", told))


MONTH = re.compile(r"^(?P<margin> *)(?P<how>->.* on \w+_movement)_\d{4}_\d\d\b.*?(?P<never>\(never executed\))?$")


def _months(plan: Sequence[str]) -> int:
    """Scans of movements that were carried out."""
    return sum(1 for line in plan if (found := MONTH.match(line)) and not found["never"])


def _shortened(plan: Sequence[str]) -> Iterator[str]:
    """Of nodes that follow each other and do the same in several months the first, and how many more there are."""
    shown, more, at = None, 0, 0
    while at < len(plan):
        found = MONTH.match(plan[at])
        end = _end(plan, at) if found else at + 1
        node = found and (found["margin"], found["how"])
        if node and node == shown:
            more += 1
        else:
            if shown and more:
                yield f"{shown[0]}… and {more} more months"
            shown, more = node, 0
            yield from plan[at:end]
        at = end


def _end(plan: Sequence[str], at: int) -> int:
    """Of the node that begins there: what follows is not further in."""
    margin = len(plan[at]) - len(plan[at].lstrip())
    deeper = (n for n in range(at + 1, len(plan)) if len(plan[n]) - len(plan[n].lstrip()) <= margin)
    return next(deeper, len(plan))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
