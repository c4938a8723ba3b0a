"""Lots go first-expired first-out where a product has expiry dates, first-in first-out otherwise, or as named."""

import pytest

from domain.stock import Shipped, WrittenOff
from tests.unit.given import command, d, dec, entries, given, happened, refused, when
from tests.unit.words import receive, register_product, register_warehouse, return_out, ship, write_off


@pytest.fixture(autouse=True)
def _a_lamp_in_the_north() -> None:
    given(register_product("lamp"), register_warehouse("north"))


def shipped() -> list[tuple[str | None, int]]:
    events = when(ship(6, "2026-01-10")) and happened("stock.shipped", "stock.shipped")
    return [(e.lot, int(e.quantity)) for e in events if isinstance(e, Shipped)]


def shipped_of(quantity: int) -> list[tuple[str | None, int]]:
    when(ship(quantity, "2026-01-10"))
    return [(entry.event.lot, int(entry.event.quantity)) for entry in entries() if isinstance(entry.event, Shipped)]


def test_the_first_to_expire_goes_first() -> None:
    given(receive(4, "2026-01-01", lot="late", expires_on="2027-01-01"))
    given(receive(4, "2026-01-02", lot="soon", expires_on="2026-03-01"))
    assert shipped() == [("soon", 4), ("late", 2)]


def test_without_expiry_the_first_that_came_in_goes_first() -> None:
    given(receive(4, "2026-01-02", lot="A"), receive(4, "2026-01-01", lot="B"))
    assert shipped() == [("B", 4), ("A", 2)]


def test_what_does_not_expire_goes_after_what_does() -> None:
    given(receive(4, "2026-01-01", lot="A"), receive(4, "2026-01-02", lot="B", expires_on="2026-03-01"))
    assert shipped() == [("B", 4), ("A", 2)]


def test_stock_without_a_lot_goes_in_its_turn() -> None:
    given(receive(4, "2026-01-01"), receive(4, "2026-01-02", lot="A"))
    assert shipped() == [(None, 4), ("A", 2)]


def test_a_named_lot_goes_as_named() -> None:
    given(receive(4, "2026-01-01", lot="A"), receive(4, "2026-01-02", lot="B"))
    when(ship(3, "2026-01-10", lot="B"))
    [event] = happened("stock.shipped")
    assert isinstance(event, Shipped)
    assert (event.lot, event.quantity) == ("B", dec(3))


def test_what_a_later_day_needs_of_a_lot_is_left_in_it() -> None:
    given(receive(4, "2026-01-01", lot="A"), receive(4, "2026-01-01", lot="B"), ship(3, "2026-01-20", lot="A"))
    when(ship(5, "2026-01-10"))
    events = happened("stock.shipped", "stock.shipped")
    assert [(e.lot, int(e.quantity)) for e in events if isinstance(e, Shipped)] == [("A", 1), ("B", 4)]


def test_a_lot_that_has_not_come_yet_does_not_go() -> None:
    given(receive(4, "2026-01-01", lot="A"), receive(4, "2026-01-20", lot="B"))
    when(ship(6, "2026-01-10"))
    refused("insufficient_stock", available=dec(4), shortfall=dec(2), on=d("2026-01-10"))


@pytest.mark.parametrize("leave", [write_off, return_out])
def test_write_offs_and_returns_take_lots_the_same_way(leave: object) -> None:
    given(receive(4, "2026-01-01", lot="A"), receive(4, "2026-01-02", lot="B"))
    assert callable(leave)
    when(leave(6, "2026-01-10"))
    first, second = happened(*["stock.written_off" if leave is write_off else "stock.returned_out"] * 2)
    assert [(e.lot, e.quantity) for e in (first, second)] == [("A", dec(4)), ("B", dec(2))]  # type: ignore[attr-defined]


def test_beyond_what_there_is_a_warehouse_that_allows_it_falls_below_nothing_without_a_lot() -> None:
    given(register_warehouse("south", negative_stock="allow"), receive(4, "2026-01-01", lot="A", warehouse="south"))
    when(ship(6, "2026-01-10", warehouse="south"))
    events = happened("stock.shipped", "stock.shipped")
    assert [(e.lot, int(e.quantity)) for e in events if isinstance(e, Shipped)] == [("A", 4), (None, 2)]


def test_a_lot_has_one_day_of_expiry() -> None:
    given(receive(4, "2026-01-01", lot="A", expires_on="2026-03-01"))
    when(receive(4, "2026-01-02", lot="A", expires_on="2026-04-01"))
    refused("invalid", field="expires_on", on=d("2026-03-01"))


def test_a_lot_s_expiry_may_be_told_after_it_first_came() -> None:
    given(receive(3, "2026-01-01", lot="L"), receive(3, "2026-01-02", lot="L", expires_on="2026-07-01"))
    given(receive(6, "2026-01-01", lot="M", expires_on="2026-12-01"))
    assert shipped_of(6) == [("L", 6)]
    when(receive(1, "2026-01-03", lot="L", expires_on="2030-01-01"))
    refused("invalid", field="expires_on", on=d("2026-07-01"))


def test_a_lot_that_is_known_later_to_have_come_first_goes_first() -> None:
    given(receive(3, "2026-01-05", lot="A"), receive(3, "2026-01-04", lot="B"), receive(3, "2026-01-01", lot="A"))
    assert shipped_of(6) == [("A", 6)]


def test_the_day_that_is_named_is_the_one_that_needs_the_lot() -> None:
    given(receive(10, "2026-01-01", lot="A"), receive(10, "2026-01-04", lot="B"), ship(10, "2026-01-05", lot="A"))
    when(ship(10, "2026-01-02"))
    refused("insufficient_stock", available=dec(0), shortfall=dec(10), on=d("2026-01-05"))


def test_a_list_of_reasons_counts_from_now_on() -> None:
    when(command("stock.list_reasons", "2030-01-01", reasons=["moths"]))
    refused("invalid", field="effective_at")


def test_a_write_off_has_a_reason_out_of_a_list_that_the_company_keeps() -> None:
    given(receive(4, "2026-01-01"), command("stock.list_reasons", reasons=["moths", "damage"]))
    when(write_off(1, reason="expiry"))
    refused("reason_unknown", reason="expiry", reasons=["moths", "damage"])
    when(write_off(1, reason="moths"))
    [event] = happened("stock.written_off")
    assert isinstance(event, WrittenOff)
    assert event.reason == "moths"
