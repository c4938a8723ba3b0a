"""Deals: opened early, changed forward in time, closed once."""

import pytest

from domain.deals import Deal, Lost, Moved, Opened, Won
from tests.unit.given import dec, given, happened, now, refused, when
from tests.unit.words import define_pipeline, lose, move, open_deal, register_client, win


@pytest.fixture(autouse=True)
def _a_client_and_a_pipeline() -> None:
    given(register_client(), define_pipeline("free"))


def test_a_deal_is_opened_before_products_and_amount_are_known() -> None:
    when(open_deal("D1"))
    [event] = happened("deal.opened")
    assert event == Opened(deal="D1", client="C1", pipeline="P", stage="A")


def test_a_deal_may_enter_in_the_middle() -> None:
    when(open_deal("D1", stage="B", amount="10.50", currency="EUR"))
    [event] = happened("deal.opened")
    assert isinstance(event, Opened)
    assert (event.stage, event.amount, event.currency) == ("B", dec("10.50"), "EUR")


def test_a_deal_is_opened_once() -> None:
    given(open_deal("D1"))
    when(open_deal("D1"))
    refused("already_exists", kind="deal", id="D1")


def test_a_missing_id_is_made() -> None:
    when(open_deal(deal=None), open_deal(deal=None))
    first, second = happened("deal.opened", "deal.opened")
    assert first.deal != second.deal


@pytest.mark.parametrize(("field", "kind"), [("client", "client"), ("pipeline", "pipeline")])
def test_a_deal_is_opened_with_what_is_known(field: str, kind: str) -> None:
    when(open_deal(**{field: "X"}))
    refused("not_found", kind=kind, id="X")


def test_a_finer_amount_than_the_currency_has_is_refused() -> None:
    when(open_deal(amount="10.5", currency="JPY"))
    refused("invalid", field="amount", places=0)


def test_a_move_says_where_from_and_where_to() -> None:
    given(open_deal("D1"))
    when(move("C"))
    assert happened("deal.moved") == [Moved(deal="D1", client="C1", pipeline="P", from_stage="A", stage="C")]


def test_a_deal_is_won_from_where_it_stands() -> None:
    given(open_deal("D1"), move("B"))
    when(win())
    assert happened("deal.won") == [Won(deal="D1", client="C1", pipeline="P", stage="B")]


def test_a_deal_is_lost_from_where_it_stands_and_for_a_reason() -> None:
    given(open_deal("D1"))
    when(lose("price"))
    assert happened("deal.lost") == [Lost(deal="D1", client="C1", pipeline="P", stage="A", reason="price")]


@pytest.mark.parametrize(("close", "outcome"), [(win, "won"), (lose, "lost")])
@pytest.mark.parametrize("change", [lambda: move("B"), win, lose])
def test_a_closed_deal_does_not_change(close, outcome: str, change) -> None:
    given(open_deal("D1"), close())
    when(change())
    refused("deal_closed", outcome=outcome)


@pytest.mark.parametrize("change", [lambda on: move("C", on), lambda on: win(on), lambda on: lose(on=on)])
def test_a_change_before_the_last_one_is_refused(change) -> None:
    given(open_deal("D1", "2026-05-01"), move("B", "2026-05-03"))
    when(change("2026-05-02"))
    refused("out_of_order", changed_at="2026-05-03T12:00:00+00:00")


def test_changes_at_the_same_moment_go_by_position() -> None:
    given(open_deal("D1", "2026-05-01"), move("B", "2026-05-01"), move("C", "2026-05-01"))
    assert now(Deal, "D1").stage == "C"


@pytest.mark.parametrize("change", [lambda: move("B", deal="D9"), lambda: win(deal="D9"), lambda: lose(deal="D9")])
def test_only_a_known_deal_changes(change) -> None:
    when(change())
    refused("not_found", kind="deal", id="D9")
