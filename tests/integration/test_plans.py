"""What is asked about one client, product or deal is found by index, however big the tables have grown."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from api.explaining import explain, read_figure
from api.querying import ask
from infra.postgres import months
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import Ledger, migrate
from infra.postgres.queries import Answering
from infra.postgres.read_models import PostgresReadModels
from infra.postgres.shape_sql import log_table
from projections import PROJECTIONS, QUERIES
from projections.query import Query
from projections.shapes import Card, Register, Shape
from tests.integration.writing import query as run
from tests.properties.books import tables_of
from tests.unregistered import Unregistered

ROWS, KEYS = 20_000, 5_000
MOST_PAGES = 90
"""Of some 270 that a log has. In each month that is looked at an index is gone down by itself."""

VALUES = {
    "text": f"'K' || mod(n, {KEYS})",
    "numeric": "1",
    "integer": "1",
    "date": "'2026-01-01'::date + mod(n, 90)::int",
    "jsonb": f"jsonb_build_object('stages', '[]'::jsonb, 'client.K' || mod(n, {KEYS}), 1)",
}

ASKED = {
    "client": "K7",
    "product": "K7",
    "deal": "K7",
    "pipeline": "K7",
    "warehouse": "K7",
    "from": "2026-01-10",
    "to": "2026-03-15",
    "opened_from": "2026-01-10",
    "opened_to": "2026-03-15",
    "closed_from": "2026-01-10",
    "closed_to": "2026-03-15",
    "until": "winning",
    "method": "linear",
}
REGISTERS = [shape.name for each in PROJECTIONS for shape in each.shapes if isinstance(shape, Register)]
ABOUT_ONE = {"client", "product", "deal"}


@pytest.fixture(scope="module")
def full(dsn: str) -> Iterator[Pool]:
    """Read models with twenty thousand rows in each log, of five thousand keys."""
    database = Database(dsn, "plans")
    migrate(database)
    models = PostgresReadModels(database)
    models.prepare(PROJECTIONS)
    for projection in PROJECTIONS:
        for shape in projection.shapes:
            if isinstance(shape, Register):
                with models.transaction() as cursor:
                    months.make(cursor, shape, [f"2026-{month:02}-01 00:00:00+00" for month in range(1, 4)])
            _fill(database, shape)
    models.close()
    with Pool(database) as pool:
        for asked in ("progress('stock')", *(f"{register}_whole(NULL, NULL)" for register in REGISTERS)):
            pool.read(f"SELECT {asked}")  # planned at its first use
        yield pool


def _fill(database: Database, shape: Shape) -> None:
    schema = f"{database.schema}_read"
    cells = ", ".join(VALUES[type] for type in shape.columns.values())
    log = f"SELECT n, 0, '2026-01-01'::timestamptz + n * interval '6 minutes', now(), 'x', {cells}"
    columns = ", ".join(["position", "line", "effective_at", "recorded_at", "type", *shape.columns])
    run(
        database,
        f"INSERT INTO {schema}.{log_table(shape)} ({columns}) {log} FROM generate_series(1, {ROWS}) n RETURNING 1",
    )
    match shape:
        case Register():
            sums = ", ".join([*(VALUES[t] for t in shape.dimensions.values()), *("1" for _ in shape.resources)])
            flows = ", ".join([*(VALUES[t] for t in shape.dimensions.values()), *("1, 0" for _ in shape.resources)])
            balance, turnover = f"{schema}.{shape.name}_balance", f"{schema}.{shape.name}_turnover"
            run(database, f"INSERT INTO {balance} SELECT {sums} FROM generate_series(1, {KEYS}) n RETURNING 1")
            months = "generate_series(0, 2) AS m, generate_series(1, 5000) AS n"
            run(
                database,
                f"INSERT INTO {turnover} SELECT '2026-01-01'::date + 31 * m, {flows} FROM {months} RETURNING 1",
            )
        case Card():
            facts = f"SELECT 'K' || n, '{{}}', '2026-01-01', n FROM generate_series(1, {KEYS}) n RETURNING 1"
            run(database, f"INSERT INTO {schema}.{shape.name} {facts}")
    for table in tables_of(shape):  # these alone: with every ledger of the run it would take too many locks
        run(database, f"ANALYZE {schema}.{table}; SELECT 1")


def _about_one(query: Query) -> bool:
    return bool(ABOUT_ONE & query.parameters.model_fields.keys())


@pytest.mark.parametrize("moment", [{}, {"as_of": "2026-02-10"}, {"known_at": 15_000}], ids=["now", "then", "as known"])
@pytest.mark.parametrize("query", list(filter(_about_one, QUERIES)), ids=lambda query: query.path)
def test_one_is_found_without_reading_all(
    full: Pool, query: Query, moment: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[int] = []
    read = Pool.read_named

    def explained(self: Pool, sql: str, given: Mapping[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        [([plan],)] = read(self, f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", given)[1]
        pages.append(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])
        return read(self, sql, given)

    monkeypatch.setattr(Pool, "read_named", explained)
    names = {field.alias or name for name, field in query.parameters.model_fields.items()}
    given = {name: value for name, value in ASKED.items() if name in names and name != "warehouse"}
    ask(Unregistered(full), Ledger("EUR", "UTC", ""), query, query.parameters.model_validate({**given, **moment}))
    assert sum(pages) < MOST_PAGES


@pytest.mark.parametrize("moment", ["", "&as_of=2026-03-10", "&known_at=15000"], ids=["now", "then", "as known"])
@pytest.mark.parametrize(
    ("figure", "cell"),
    [
        ("/v1/stock/balances?product=K7", "available"),
        ("/v1/stock/balances?product=K7&group_by=product", "on_hand"),
        ("/v1/stock/turnovers?product=K7&from=2026-01-10&to=2026-03-15", "closing"),
        ("/v1/receivables/ageing?client=K7&by=counterparty", "balance"),
        ("/v1/receivables/statement?client=K7&from=2026-01-10&to=2026-03-15", "closing"),
        ("/v1/receivables/dso?client=K7&from=2026-01-10&to=2026-03-15", "dso_net"),
        ("/v1/receivables/exposure?client=K7", "exposure"),
        ("/v1/payments/summary?client=K7&from=2026-01-10&to=2026-03-15", "net"),
        ("/v1/pipelines/K7?as_of=2026-03-10", "stages"),
    ],
)
def test_a_figure_of_one_is_explained_without_reading_all(
    full: Pool, figure: str, cell: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[int] = []
    read = Answering.rows

    def explained(self: Answering, sql: str, given: Mapping[str, Any]) -> Any:
        [row] = read(self, f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", given)
        plan = row["QUERY PLAN"][0]["Plan"]
        pages.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
        return read(self, sql, given)

    monkeypatch.setattr(Answering, "rows", explained)
    joint = "&" if "?" in figure else "?"
    asked = read_figure(figure + (joint + moment[1:] if moment else ""))
    assert explain(Unregistered(full), Ledger("EUR", "UTC", ""), asked, cell)
    assert max(pages) < MOST_PAGES
