"""A database made by a release that laid out its tables otherwise is asked as ever, until it is filled anew."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from api.querying import ask
from domain.warehouses import Registered
from infra.postgres import shape_sql
from infra.postgres.checks import Checks
from infra.postgres.connection import Database, Pool
from infra.postgres.differences import differences
from infra.postgres.generations import Generations
from infra.postgres.migrate import Ledger
from infra.postgres.months import Months
from infra.postgres.read_models import PostgresReadModels
from projections import restatements, warehouses
from projections.projection import Projection
from projections.shapes import Card, Register
from projections.stock import projection, queries
from tests.integration.trade import TRADE, states
from tests.properties.books import fill_book, projector
from tests.properties.histories import MONTHS, Step, placed
from tests.unregistered import Unregistered

LAYOUTS = {number: Path(__file__).with_name(f"layout_{number}") for number in (1, 2)}
"""1: registers were one table each. 2: flows had no end but their last day, and cards knew the time themselves."""


@pytest.fixture
def months(database: Database) -> Months:
    return Months(database)


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def fill(database: Database, layout: int, projection: Projection, steps: Sequence[Step]) -> None:
    """As the release did that had this layout."""
    with pytest.MonkeyPatch.context() as then:
        then.setattr(shape_sql, "_folder", lambda shape: LAYOUTS[layout] / type(shape).__name__.lower())
        then.setattr(shape_sql, "LAYOUTS", {Register: layout, Card: 1})
        shape_sql.fold_statements.cache_clear()
        read_models = PostgresReadModels(database)
        read_models.prepare([projection])
        projector(projection, placed(steps), read_models).catch_up(len(steps))
        read_models.close()
    shape_sql.fold_statements.cache_clear()


@pytest.fixture(autouse=True)
def _old(database: Database, pool: Pool, layout: int) -> None:
    fill_book(pool)
    fill(database, layout, projection, TRADE)


def answers(pool: Pool) -> Sequence[object]:
    period = {"from": "2026-01-10", "to": "2026-03-05"}
    asked = [
        ("/v1/stock/balances", {}),
        ("/v1/stock/balances", {"as_of": "2026-02-10"}),
        ("/v1/stock/balances", {"known_at": 2}),
        ("/v1/stock/turnovers", period),
        ("/v1/stock/turnovers", {**period, "as_of": "2026-02-25"}),
        ("/v1/stock/movements", period),
        ("/v1/stock/restatements", {}),
    ]
    by_path = {query.path: query for query in queries}
    by_path |= {query.path: query for query in restatements.queries}
    found = []
    for path, parameters in asked:
        query = by_path[path]
        answer = ask(Unregistered(pool), Ledger.read(pool), query, query.parameters.model_validate(parameters))
        assert answer is not None
        found.append(answer.items)
    return found


def test_it_is_asked_as_ever_until_a_generation_is_filled_beside_it_and_read(
    database: Database, pool: Pool, months: Months, layout: int
) -> None:
    release = PostgresReadModels(database)
    release.prepare([projection])
    before = answers(pool)
    assert before[0] != []
    assert layout > 1 or states(months) == {}
    again = PostgresReadModels(database)
    again.prepare([projection])
    again.close()
    projector(projection, placed(TRADE), release).catch_up(len(TRADE))
    release.close()
    assert answers(pool) == before
    assert set(states(months)) == {"2026-01", "2026-02", "2026-03"}
    assert [(each.number, each.state) for each in Generations(database).list()] == [(1, "old"), (2, "current")]
    Generations(database).drop("stock", 1)
    assert answers(pool) == before


def test_it_differs_in_nothing_from_what_is_filled_in_months(database: Database, pool: Pool) -> None:
    new = Generations(database).begin(projection, 1)
    filling = PostgresReadModels(database, [new])
    projector(projection, placed(TRADE), filling).catch_up(len(TRADE))
    filling.close()
    assert differences(pool, Generations(database), new, 10).rows == []


def test_its_invariants_are_checked_meanwhile(database: Database) -> None:
    release = PostgresReadModels(database)
    release.prepare([projection])
    release.close()
    checks = Checks(database)
    report = checks.run(projection, 10)
    checks.close()
    assert len(report.checked) > 5
    assert {each.invariant for each in report.violations} == {"events"}  # which are not in the book


def test_none_is_filled_of_what_is_laid_out_as_it_is_to_be(database: Database) -> None:
    release = PostgresReadModels(database)
    release.prepare([projection])
    projector(projection, placed(TRADE), release).catch_up(len(TRADE))
    release.prepare([projection])
    release.close()
    assert [each.number for each in Generations(database).list()] == [1, 2]


def test_cards_are_asked_as_ever_too(database: Database, pool: Pool) -> None:
    made = Registered(warehouse="W1", name="North", negative_stock="forbid")
    fill(database, 2, warehouses.projection, [Step("warehouse-W1", made, MONTHS[0])])
    release = PostgresReadModels(database)
    release.prepare([warehouses.projection])
    release.close()
    query = warehouses.queries[0]
    for moment in ({}, {"as_of": "2026-01-01"}, {"known_at": 1}):
        answer = ask(Unregistered(pool), Ledger.read(pool), query, query.parameters.model_validate(moment))
        assert answer
        assert [card["warehouse"] for card in answer.items or ()] == ["W1"]


def functions(pool: Pool) -> dict[str, str]:
    made = "SELECT p.oid::regprocedure::text, prosrc FROM pg_proc p WHERE pronamespace = %s::regnamespace"
    return dict(pool.read(made, (pool.database.read_schema,)))


def test_what_the_release_before_asks_stays_as_that_made_it(database: Database, pool: Pool) -> None:
    before = functions(pool)
    release = PostgresReadModels(database)
    release.prepare([projection])
    release.close()
    after = functions(pool)
    assert before.items() < after.items()
