"""A question looks at the movements of the months that it needs, and at no others."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from api.querying import ask
from infra.postgres import months
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import Ledger, migrate
from infra.postgres.read_models import PostgresReadModels
from infra.postgres.shape_sql import diff_statement, fold_statements
from projections import PROJECTIONS, QUERIES
from projections.shapes import Register
from projections.stock import stock
from tests.unregistered import Unregistered

YEARS = [f"{year}_{month:02}" for year in (2024, 2025) for month in range(1, 13)]
PERIOD = {"from": "2025-02-10", "to": "2025-05-20"}
EDGES = ["2025_02", "2025_05"]
WITHIN = ["2025_02", "2025_03", "2025_04", "2025_05"]


@pytest.fixture(scope="module")
def full(dsn: str) -> Iterator[Pool]:
    """Registers with two years of months, all of them over."""
    database = Database(dsn, "pruning")
    migrate(database)
    models = PostgresReadModels(database)
    models.prepare(PROJECTIONS)
    for register in (shape for projection in PROJECTIONS for shape in projection.shapes):
        if isinstance(register, Register):
            with models.transaction() as cursor:
                months.make(cursor, register, [f"{month.replace('_', '-')}-01 00:00:00+00" for month in YEARS])
    models.close()
    with Pool(database) as pool:
        yield pool


def looked_at(plan: Mapping[str, Any]) -> set[str]:
    """The months whose movements a plan has in it, but those that are left out when it is carried out."""
    found = {month for node in plan.get("Plans", []) for month in looked_at(node)}
    if (match := re.search(r"_movement_(\d{4}_\d\d)$", plan.get("Relation Name", ""))) and plan.get("Actual Loops", 1):
        found.add(match[1])
    return found


QUESTIONS: list[tuple[str, dict[str, str], list[str]]] = [
    ("/v1/stock/balances", {}, []),
    ("/v1/stock/balances", {"as_of": "2025-06-15"}, ["2025_06"]),
    ("/v1/stock/balances", {"as_of": "2025-06-30"}, []),
    ("/v1/stock/balances", {"known_at": "5", "as_of": "2024-03-31"}, YEARS[:3]),
    ("/v1/stock/balances", {"known_at": "5"}, YEARS),
    ("/v1/stock/turnovers", PERIOD, EDGES),
    ("/v1/stock/turnovers", {"from": "2025-02-01", "to": "2025-05-31"}, []),
    ("/v1/stock/turnovers", {"from": "2025-02-10", "to": "2025-02-20"}, ["2025_02"]),
    ("/v1/stock/turnovers", {**PERIOD, "as_of": "2025-03-10"}, ["2025_02", "2025_03"]),
    ("/v1/stock/turnovers", {**PERIOD, "known_at": "5"}, YEARS[: YEARS.index("2025_05") + 1]),
    ("/v1/stock/movements", PERIOD, WITHIN),
    ("/v1/stock/movements", {"to": "2024-02-10"}, YEARS[:2]),
    ("/v1/stock/restatements", {"as_of": "2024-02-10"}, YEARS[:2]),
    ("/v1/receivables/ageing", {}, []),
    ("/v1/receivables/ageing", {"as_of": "2025-06-15"}, ["2025_06"]),
    ("/v1/receivables/open-items", {}, []),
    ("/v1/receivables/open-items", {"as_of": "2025-06-15"}, ["2025_06"]),
    ("/v1/receivables/statement", {"client": "C1", **PERIOD}, WITHIN),
    ("/v1/receivables/dso", PERIOD, EDGES),
    ("/v1/receivables/dso", {**PERIOD, "as_of": "2025-03-10"}, ["2025_02", "2025_03"]),
    ("/v1/receivables/exposure", {"client": "C1"}, []),
    ("/v1/receivables/restatements", {"as_of": "2024-02-10"}, YEARS[:2]),
    ("/v1/payments/summary", PERIOD, EDGES),
    ("/v1/payments/summary", {**PERIOD, "as_of": "2025-03-10"}, ["2025_02", "2025_03"]),
    ("/v1/clients/classes", {"method": "abc", "measure": "sales", **PERIOD}, EDGES),
]


@pytest.mark.parametrize(
    ("path", "asked", "expected"), QUESTIONS, ids=[f"{path}-{n}" for n, (path, *_) in enumerate(QUESTIONS)]
)
def test_a_question_needs_these(
    full: Pool, path: str, asked: dict[str, str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: set[str] = set()
    read = Pool.read_named
    how = "ANALYZE, FORMAT JSON" if path == "/v1/clients/classes" else "FORMAT JSON"

    def explained(self: Pool, sql: str, given: Mapping[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        [([plan],)] = read(self, f"EXPLAIN ({how}) {sql}", given)[1]
        found.update(looked_at(plan["Plan"]))
        return read(self, sql, given)

    monkeypatch.setattr(Pool, "read_named", explained)
    query = next(query for query in QUERIES if query.path == path)
    ask(Unregistered(full), Ledger("EUR", "UTC", ""), query, query.parameters.model_validate(asked))
    assert sorted(found) == expected


def test_a_batch_is_folded_in_its_months(full: Pool) -> None:
    given = {"first": 1, "last": 9, "least": "2025-02-28 10:00:00+00", "greatest": "2025-03-01 10:00:00+00"}
    sums, _ = fold_statements(stock)
    [([plan],)] = full.read(f"EXPLAIN (FORMAT JSON) {sums}", given)
    assert looked_at(plan["Plan"]) == {"2025_02", "2025_03"}


def test_what_differs_as_of_a_moment_is_looked_for_up_to_there(full: Pool) -> None:
    given = {"before": 1, "after": 9, "moment": "2024-02-10T00:00:00+00:00"}
    [([plan],)] = full.read(f"EXPLAIN (FORMAT JSON) {diff_statement(stock)}", given)
    assert sorted(looked_at(plan["Plan"])) == YEARS[:2]
