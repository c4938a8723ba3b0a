"""A stocktake states what was there at its date. A later backdated movement before it changes the adjustment, not the
count."""

import pytest

from domain.days import balance
from domain.event import Event
from domain.stock import CountAdjusted, Counted
from domain.stock_item import StockItem
from tests.unit.given import at, d, dec, entries, given, happened, now, refused, when
from tests.unit.words import count_stock, receive, register_product, register_warehouse, release, reserve, ship


@pytest.fixture(autouse=True)
def _ten_lamps_in_the_north() -> None:
    given(register_product("lamp"), register_warehouse("north"), receive(10, "2026-01-01"))


def adjustments(event: Event) -> list[tuple[str | None, int]]:
    assert isinstance(event, Counted)
    return [(each.lot, int(each.quantity)) for each in event.adjustments]


def on_hand(day: str, lot: str = "") -> int:
    item = now(StockItem, "north", "lamp")
    assert isinstance(item, StockItem)
    return int(balance(item.days.get(lot, {}), d(day)))


def test_a_count_finds_less() -> None:
    when(count_stock(8, "2026-01-10"))
    [event] = happened("stock.counted")
    assert adjustments(event) == [(None, -2)]


def test_a_count_finds_more() -> None:
    when(count_stock(11, "2026-01-10"))
    [event] = happened("stock.counted")
    assert adjustments(event) == [(None, 1)]


def test_a_count_that_finds_what_the_book_says_is_kept_too() -> None:
    when(count_stock(10, "2026-01-10"))
    [event] = happened("stock.counted")
    assert adjustments(event) == []


def test_a_count_is_of_the_end_of_its_day_as_known() -> None:
    given(ship(3, "2026-01-10"), ship(3, "2026-01-11"))
    when(count_stock(5, "2026-01-10"))
    [event] = happened("stock.counted")
    assert adjustments(event) == [(None, -2)]


def test_a_movement_known_later_from_before_the_count_changes_the_adjustment_not_the_count() -> None:
    given(count_stock(8, "2026-01-10"))
    when(ship(2, "2026-01-05"))
    _, adjusted = happened("stock.shipped", "stock.count_adjusted")
    assert isinstance(adjusted, CountAdjusted)
    assert adjusted.quantity == 2
    assert entries()[1].effective_at.isoformat() == at("2026-01-10").replace("Z", "+00:00")
    assert [on_hand(day) for day in ("2026-01-04", "2026-01-05", "2026-01-10")] == [10, 8, 8]


def test_a_movement_after_the_count_changes_what_is_there() -> None:
    given(count_stock(8, "2026-01-10"))
    when(ship(2, "2026-01-11"))
    happened("stock.shipped")
    assert on_hand("2026-01-11") == 6


def test_a_movement_of_the_day_that_is_known_after_the_count_comes_after_it() -> None:
    given(count_stock(8, "2026-01-10"))
    when(receive(2, "2026-01-10"))
    happened("stock.received")
    assert on_hand("2026-01-10") == 10


def test_only_the_next_count_makes_up_for_it() -> None:
    given(count_stock(8, "2026-01-10"), count_stock(7, "2026-01-20"))
    when(receive(5, "2026-01-05"))
    happened("stock.received", "stock.count_adjusted")
    assert [on_hand(day) for day in ("2026-01-05", "2026-01-10", "2026-01-20")] == [15, 8, 7]


def test_a_count_before_a_count_leaves_the_later_one_as_it_was() -> None:
    given(count_stock(8, "2026-01-20"))
    when(count_stock(9, "2026-01-10"))
    happened("stock.counted", "stock.count_adjusted")
    assert [on_hand(day) for day in ("2026-01-10", "2026-01-20")] == [9, 8]


def test_before_a_count_more_may_be_issued_than_the_days_after_it_could_bear() -> None:
    given(receive(5, "2026-01-02"), count_stock(3, "2026-01-10"), ship(3, "2026-01-12"))
    when(ship(12, "2026-01-05"))
    happened("stock.shipped", "stock.count_adjusted")
    assert [on_hand(day) for day in ("2026-01-05", "2026-01-10", "2026-01-12")] == [3, 3, 0]


def test_days_after_a_count_do_not_matter_to_an_issue_before_it_promises_or_not() -> None:
    given(reserve(1, "2026-01-01"), release("R1", "2026-01-01"), count_stock(4, "2026-01-05"))
    when(ship(6, "2026-01-03"))
    happened("stock.shipped", "stock.count_adjusted")


def test_a_count_that_would_make_a_later_day_negative_is_refused() -> None:
    given(ship(6, "2026-01-12"))
    when(count_stock(5, "2026-01-10"))
    refused("insufficient_stock", on=d("2026-01-12"), available=dec(4), shortfall=dec(1))


def test_one_lot_is_counted_by_itself() -> None:
    given(receive(5, "2026-01-02", lot="A"))
    when(count_stock(4, "2026-01-10", lot="A"))
    [event] = happened("stock.counted")
    assert adjustments(event) == [("A", -1)]
    when(receive(2, "2026-01-05"))
    happened("stock.received")


def test_all_lots_counted_together_lose_like_an_issue_and_keep_the_total() -> None:
    given(receive(5, "2026-01-02", lot="A", expires_on="2026-03-01"))
    when(count_stock(8, "2026-01-10"))
    [event] = happened("stock.counted")
    assert adjustments(event) == [("A", -5), (None, -2)]
    when(receive(2, "2026-01-05", lot="A"))
    happened("stock.received", "stock.count_adjusted")
    assert on_hand("2026-01-10") + on_hand("2026-01-10", "A") == 8
