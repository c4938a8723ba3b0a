"""Without as_of an answer is as of now: what is dated ahead does not count yet."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.explaining import explain, read_figure
from domain import clients, stock
from infra.postgres.migrate import Ledger
from tests.properties.areas import AREAS, SETUP, questions_on
from tests.properties.books import Books
from tests.properties.histories import Step, lawful, placed

SHIFT = timedelta(days=(datetime.now(UTC) - datetime(2026, 1, 10, tzinfo=UTC)).days)
"""By so much later all happens: about half of it has not happened yet."""


def later(step: Step) -> Step:
    return replace(step, effective_at=step.effective_at + SHIFT)


def shifted(given: dict[str, str]) -> dict[str, str]:
    """Its days, likewise."""
    days = {"from", "to", "opened_from", "opened_to", "closed_from", "closed_to"}
    return {name: str(date.fromisoformat(text) + SHIFT) if name in days else text for name, text in given.items()}


@pytest.mark.parametrize("area", AREAS)
@given(data=st.data())
@settings(max_examples=10)
def test_without_as_of_it_is_now(books: Books, area: str, data: st.DataObject) -> None:
    steps = [later(step) for step in [*SETUP, *lawful(data.draw(AREAS[area]))]]
    books.wipe()
    books.project(placed(steps))

    def answer(path: str, **given: object) -> Any:
        found = books.answer(path, **given)
        return found and (found.items, found.body)

    for path, given_ in questions_on(area):
        asked = shifted(given_)
        assert answer(path, **asked) == answer(path, **asked, as_of=datetime.now(UTC)), path


def test_all_of_an_answer_goes_by_one_clock(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    received = stock.Received(product="P1", warehouse="W1", quantity=Decimal(3), cost=Decimal(1), currency="EUR")
    limited = clients.CreditLimitSet(client="C1", amount=Decimal(10), currency="USD")
    named = [step for step in SETUP if step.key == "client-C1"]
    steps = [*named, Step("account-C1", limited, soon), Step("product-P1", received, soon)]
    books.project(placed(steps))
    for hours, limit in ((0, None), (2, 10)):
        monkeypatch.setattr(books.queries, "now", lambda hours=hours: datetime.now(UTC) + timedelta(hours=hours))
        assert books.body("/v1/receivables/exposure", client="C1")["limit"] == limit
        assert [row["on_hand"] for row in books.items("/v1/stock/balances")] == ([] if limit is None else [3])
    figure = read_figure("/v1/stock/balances?product=P1")
    explained = explain(books.queries, Ledger.read(books.pool), figure, "on_hand")
    assert explained
    assert explained.total == 3
