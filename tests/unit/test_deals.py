"""Deals: opened early, changed forward in time, closed once."""

import pytest

from domain.deals import Assigned, Deal, Estimated, Lost, Moved, Opened, Reopened, Specified, Won
from tests.unit.given import command, d, dec, entries, given, happened, now, refused, when
from tests.unit.words import (
    assign,
    define_pipeline,
    estimate,
    lose,
    move,
    open_deal,
    register_client,
    reopen,
    specify,
    win,
)


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
@pytest.mark.parametrize(
    "change", [lambda: move("B"), win, lose, lambda: estimate(5), lambda: specify("lamp"), lambda: assign("eve")]
)
def test_a_closed_deal_does_not_change(close, outcome: str, change) -> None:
    given(open_deal("D1"), close())
    when(change())
    refused("deal_closed", outcome=outcome)


@pytest.mark.parametrize("change", [lambda on: move("C", on), win, lambda on: lose(on=on)])
def test_a_change_before_the_last_one_is_refused(change) -> None:
    given(open_deal("D1", "2026-05-01"), move("B", "2026-05-03"))
    when(change("2026-05-02"))
    refused("out_of_order", changed_at="2026-05-03T12:00:00+00:00")


def test_changes_at_the_same_moment_go_by_position() -> None:
    given(open_deal("D1", "2026-05-01"), move("B", "2026-05-01"), move("C", "2026-05-01"))
    assert now(Deal, "D1").stage == "C"


@pytest.mark.parametrize(
    "change",
    [
        lambda deal: move("B", deal=deal),
        lambda deal: win(deal=deal),
        lambda deal: lose(deal=deal),
        lambda deal: reopen("A", deal=deal),
        lambda deal: estimate(5, deal=deal),
        lambda deal: specify("lamp", deal=deal),
        lambda deal: assign("eve", deal=deal),
    ],
)
def test_only_a_known_deal_changes(change) -> None:
    when(change("D9"))
    refused("not_found", kind="deal", id="D9")


WHERE = {"deal": "D1", "client": "C1", "pipeline": "P"}


@pytest.mark.parametrize(("close", "outcome"), [(win, "won"), (lose, "lost")])
def test_a_closed_deal_is_reopened_at_any_stage(close, outcome: str) -> None:
    given(open_deal("D1", stage="B"), close())
    when(reopen("C"))
    assert happened("deal.reopened") == [Reopened(**WHERE, outcome=outcome, stage="C")]


def test_a_reopened_deal_goes_on_and_may_close_again() -> None:
    given(open_deal("D1"), lose(), reopen("B"), move("C"), win(), reopen("A"), lose("budget"))
    when(reopen("B"))
    assert happened("deal.reopened") == [Reopened(**WHERE, outcome="lost", stage="B")]
    assert (now(Deal, "D1").stage, now(Deal, "D1").outcome) == ("B", "open")


def test_an_open_deal_is_not_reopened() -> None:
    given(open_deal("D1", stage="B"))
    when(reopen("A"))
    refused("deal_open", stage="B")


def test_a_deal_is_reopened_at_a_stage_of_its_pipeline() -> None:
    given(open_deal("D1"), lose())
    when(reopen("X"))
    refused("stage_unknown", stage="X", stages=["A", "B", "C"])


def test_a_deal_is_not_reopened_before_it_was_closed() -> None:
    given(open_deal("D1", "2026-05-01"), lose(on="2026-05-06"))
    when(reopen("A", on="2026-05-05"))
    refused("out_of_order", changed_at="2026-05-06T12:00:00+00:00")


def test_an_estimate_says_what_the_deal_is_worth() -> None:
    given(open_deal("D1"))
    when(estimate("120.50"))
    assert happened("deal.estimated") == [Estimated(**WHERE, amount=dec("120.50"), currency="EUR")]


def test_a_finer_estimate_than_the_currency_has_is_refused() -> None:
    given(open_deal("D1"))
    when(estimate("10.5", currency="JPY"))
    refused("invalid", field="amount", places=0)


def test_products_may_be_specified_later() -> None:
    given(open_deal("D1"))
    when(specify("lamp", "desk"))
    items = [{"product": "lamp", "quantity": "1"}, {"product": "desk", "quantity": "1"}]
    assert happened("deal.specified") == [Specified(**WHERE, items=items)]


@pytest.mark.parametrize("told_by", ["opening", "estimate"])
def test_a_finer_price_than_the_deals_currency_has_is_refused(told_by: str) -> None:
    items = [{"product": "lamp", "quantity": "1", "price": "5.5"}]
    when(open_deal("D1", amount="10", currency="JPY", items=items))
    refused("invalid", field="items.price", places=0)
    given(open_deal("D1", amount="10", currency="JPY") if told_by == "opening" else open_deal("D1"))
    given(*([estimate("10", currency="JPY")] if told_by == "estimate" else []))
    when(command("deal.specify", deal="D1", items=items))
    refused("invalid", field="items.price", places=0)


def test_without_a_currency_a_price_is_taken_as_it_is() -> None:
    when(open_deal("D1", items=[{"product": "lamp", "quantity": "1", "price": "5.001"}]))
    happened("deal.opened")


def test_to_specify_nothing_is_not_a_request() -> None:
    with pytest.raises(ValueError, match="items"):
        command("deal.specify", deal="D1", items=[])


def test_a_deal_is_assigned_to_an_owner() -> None:
    given(open_deal("D1"))
    when(assign("eve"))
    assert happened("deal.assigned") == [Assigned(**WHERE, owner="eve")]


TOLD = [lambda on: estimate(5, on), lambda on: specify("lamp", on=on), lambda on: assign("eve", on)]


@pytest.mark.parametrize("tell", TOLD)
def test_nothing_is_told_of_a_deal_before_it_was_opened(tell) -> None:
    given(open_deal("D1", "2026-05-03"))
    when(tell("2026-05-02"))
    refused("out_of_order", opened_at="2026-05-03T12:00:00+00:00")


@pytest.mark.parametrize("tell", TOLD)
@pytest.mark.parametrize("on", ["2026-05-03", "2026-05-04", "2026-05-20"])
def test_what_is_told_of_a_deal_may_be_of_any_time_since_its_opening(tell, on: str) -> None:
    given(open_deal("D1", "2026-05-03"), move("B", "2026-05-10"))
    when(tell(on))
    [entry] = entries()
    assert entry.effective_at.date() == d(on)


@pytest.mark.parametrize("tell", TOLD)
def test_what_is_told_of_a_later_time_does_not_hold_up_a_move(tell) -> None:
    given(open_deal("D1", "2026-05-03"), tell("2026-05-20"))
    when(move("B", "2026-05-10"))
    happened("deal.moved")
