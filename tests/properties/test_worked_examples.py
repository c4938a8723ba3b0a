"""The worked examples of docs/reference/figures.md, from commands to answers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.properties.books import Books, entered
from tests.unit import given as scene
from tests.unit.given import given
from tests.unit.words import (
    define_pipeline,
    issue,
    lose,
    move,
    open_deal,
    pay,
    receive,
    register_client,
    register_product,
    register_warehouse,
    ship,
    to,
    win,
    write_off,
)


@pytest.fixture(autouse=True)
def _an_empty_book() -> None:
    scene.begin()


def plain(figures: Any) -> Any:
    """Decimals as text, without zeros that say nothing."""
    match figures:
        case Decimal():
            return format(figures.normalize(), "f")
        case dict():
            return {name: plain(figure) for name, figure in figures.items()}
        case list() | tuple():
            return [plain(figure) for figure in figures]
    return figures


@pytest.fixture
def funnel(books: Books) -> Books:
    """X: A 1 May, B 3 May, won 9 May, 100. Y: A 2 May, C 5 May, back to B 8 May, 200, open.
    Z: A 4 May, lost 6 May (price), 50."""
    given(register_client(), define_pipeline("free", "A", "B", "C"))
    for deal, amount, on in (("X", "100", "2026-05-01"), ("Y", "200", "2026-05-02"), ("Z", "50", "2026-05-04")):
        given(open_deal(deal, on, amount=amount, currency="EUR"))
    given(move("B", "2026-05-03", deal="X"), win("2026-05-09", deal="X"))
    given(move("C", "2026-05-05", deal="Y"), move("B", "2026-05-08", deal="Y"))
    given(lose("price", "2026-05-06", deal="Z"))
    books.project(entered(scene.book()))
    return books


def test_the_funnels_snapshot(funnel: Books) -> None:
    answer = plain(funnel.body("/v1/funnel/snapshot", pipeline="P", as_of="2026-05-10"))
    assert [(row["stage"], row["deals"], row["amount"]) for row in answer["stages"]] == [
        ("A", 0, "0"),
        ("B", 1, "200"),
        ("C", 0, "0"),
    ]
    assert answer["won"] == {"deals": 1, "amount": "100"}
    assert answer["lost"] == {"deals": 1, "amount": "50"}
    assert answer["weighted"] == "100"


def test_the_funnels_cohort(funnel: Books) -> None:
    may = {"opened_from": "2026-05-01", "opened_to": "2026-05-31", "as_of": "2026-05-10"}
    answer = plain(funnel.body("/v1/funnel/cohort", pipeline="P", **may))
    assert (answer["opened"], answer["won"], answer["lost"], answer["open"]) == (3, 1, 1, 1)
    assert answer["conversion"] == "0.3333"
    assert [(row["stage"], row["reached"], row["visited"], row["step_conversion"]) for row in answer["stages"]] == [
        ("A", 3, 3, "0.6667"),
        ("B", 2, 2, "1"),
        ("C", 2, 1, "0.5"),
    ]


def test_an_empty_cohort_has_no_conversion(funnel: Books) -> None:
    answer = funnel.body("/v1/funnel/cohort", pipeline="P", opened_from="2026-06-01", opened_to="2026-06-30")
    assert (answer["opened"], answer["conversion"]) == (0, None)
    assert [row["step_conversion"] for row in answer["stages"]] == [None] * 3


def test_a_deals_stages_so_far(funnel: Books) -> None:
    answer = funnel.body("/v1/deals/{deal}", deal="Y", as_of="2026-05-05")
    assert [(stay["stage"], stay["left_at"] and stay["left_at"].day) for stay in answer["stages"]] == [
        ("A", 5),
        ("C", None),
    ]


def test_stock_on_hand_and_turnovers(books: Books) -> None:
    given(register_product(), register_warehouse(), register_warehouse("south"))
    given(receive(4, "2026-01-01"), receive(4, "2026-02-03", lot="L1"), ship(3, "2026-02-05"))
    given(write_off(1, "2026-03-01", lot="L1"), receive(2, "2026-01-31", warehouse="south"))
    books.project(entered(scene.book()))
    balances = books.items("/v1/stock/balances", as_of="2026-02-28")
    assert [(row["warehouse"], row["lot"], row["on_hand"]) for row in balances] == [
        ("north", None, 1),
        ("north", "L1", 4),
        ("south", None, 2),
    ]
    february = {"from": "2026-02-01", "to": "2026-02-28", "group_by": "product"}
    [turnover] = books.items("/v1/stock/turnovers", **february)
    figures = [turnover[name] for name in ("opening", "received", "issued", "closing")]
    assert (turnover["product"], turnover["warehouse"], figures) == ("lamp", None, [6, 4, 3, 7])


def test_a_late_receipt_is_there_as_of_its_day_and_not_as_known_before(books: Books) -> None:
    given(register_product(), register_warehouse())
    given(receive(4, "2026-01-01"), receive(4, "2026-01-03"), ship(6, "2026-01-05"))
    known = len(scene.book())
    given(receive(2, "2026-01-02"))
    books.project(entered(scene.book()))
    [now] = books.items("/v1/stock/balances", as_of="2026-01-05")
    [then] = books.items("/v1/stock/balances", as_of="2026-01-05", known_at=known)
    assert (now["on_hand"], then["on_hand"]) == (4, 2)


@pytest.fixture
def receivables(books: Books) -> Books:
    """Invoice 300 due 10 June; 100 paid on the 12th and allocated; 50 paid on the 20th, not allocated."""
    given(register_client(), issue("I1", 300, due="2026-06-10", on="2026-05-10"))
    given(pay(100, "2026-06-12", payment="Z1", allocate=[to("I1", 100)]), pay(50, "2026-06-20", payment="Z2"))
    books.project(entered(scene.book()))
    return books


BUCKETS = ("current", "d1_30", "d31_60", "d61_90", "over_90", "unapplied", "balance")


@pytest.mark.parametrize(
    ("as_of", "figures"),
    [
        ("2026-05-10", [300, 0, 0, 0, 0, 0, 300]),
        ("2026-06-10", [300, 0, 0, 0, 0, 0, 300]),
        ("2026-06-11", [0, 300, 0, 0, 0, 0, 300]),
        ("2026-06-15", [0, 200, 0, 0, 0, 0, 200]),
        ("2026-07-12", [0, 0, 200, 0, 0, -50, 150]),
        ("2026-09-08", [0, 0, 0, 200, 0, -50, 150]),
        ("2026-09-09", [0, 0, 0, 0, 200, -50, 150]),
    ],
)
def test_receivables_by_age(receivables: Books, as_of: str, figures: list[int]) -> None:
    [row] = receivables.items("/v1/receivables/ageing", as_of=as_of)
    assert [row[bucket] for bucket in BUCKETS] == figures


@pytest.mark.parametrize(("as_of", "open", "days"), [("2026-06-15", 200, 5), ("2026-07-12", 200, 32)])
def test_open_items(receivables: Books, as_of: str, open: int, days: int) -> None:
    [item] = receivables.items("/v1/receivables/open-items", as_of=as_of)
    assert (item["invoice"], item["due_on"], item["amount"]) == ("I1", date(2026, 6, 10), 300)
    assert (item["open"], item["overdue_days"]) == (open, days)


@pytest.mark.parametrize(("to", "as_of"), [("2026-07-12", "2999-01-01"), ("2026-12-31", "2026-07-12")])
def test_days_of_sales_are_those_of_the_period_so_far(receivables: Books, to: str, as_of: str) -> None:
    answer = receivables.body("/v1/receivables/dso", **{"from": "2026-05-01", "to": to, "as_of": as_of})
    assert (answer["days"], answer["dso_net"], answer["dso_gross"]) == (73, Decimal("36.50"), Decimal("48.67"))


def test_before_an_invoice_nothing_is_owed(receivables: Books) -> None:
    assert receivables.items("/v1/receivables/ageing", as_of="2026-05-09") == []
