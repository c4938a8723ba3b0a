"""Stock: what comes in, what goes out, and that no day may end below nothing."""

import pytest

from domain.days import balance
from domain.stock import Received, Shipped, WrittenOff
from domain.stock_item import StockItem
from tests.unit.given import d, dec, entries, given, happened, now, refused, when
from tests.unit.words import receive, register_product, register_warehouse, ship, write_off


@pytest.fixture(autouse=True)
def _a_lamp_in_the_north() -> None:
    given(register_product("lamp"), register_warehouse("north"))


def test_what_is_received_can_be_shipped() -> None:
    given(receive(10, "2026-01-01"))
    when(ship(10, "2026-01-01"))
    [shipped] = happened("stock.shipped")
    assert shipped == Shipped(product="lamp", warehouse="north", quantity=dec(10))


def test_more_than_is_there_is_refused() -> None:
    given(receive(10, "2026-01-01"))
    when(ship(12, "2026-01-05"))
    refused("insufficient_stock", on=d("2026-01-05"), available=dec(10), shortfall=dec(2))


def test_what_was_never_received_is_not_there() -> None:
    when(ship(1, "2026-01-05"))
    refused("insufficient_stock", on=d("2026-01-05"), available=dec(0), shortfall=dec(1))


def test_a_backdated_issue_may_not_make_an_earlier_day_negative() -> None:
    given(receive(10, "2026-01-01"), ship(8, "2026-01-05"), receive(10, "2026-01-20"))
    when(ship(5, "2026-01-10"))
    refused("insufficient_stock", on=d("2026-01-10"), available=dec(2), shortfall=dec(3))


def test_a_backdated_issue_may_not_make_a_later_day_negative() -> None:
    given(receive(10, "2026-01-01"), ship(8, "2026-01-15"), receive(10, "2026-01-20"))
    when(ship(5, "2026-01-10"))
    refused("insufficient_stock", on=d("2026-01-15"), available=dec(2), shortfall=dec(3))


def test_of_several_days_that_would_be_short_the_shortest_is_named() -> None:
    given(receive(10, "2026-01-01"), ship(6, "2026-01-10"), ship(3, "2026-01-12"), receive(9, "2026-01-14"))
    when(ship(5, "2026-01-02"))
    refused("insufficient_stock", on=d("2026-01-12"), available=dec(1), shortfall=dec(4))


def test_of_days_that_would_be_equally_short_the_first_is_named() -> None:
    given(receive(10, "2026-01-01"), ship(9, "2026-01-10"), receive(1, "2026-01-12"), ship(1, "2026-01-14"))
    when(ship(2, "2026-01-02"))
    refused("insufficient_stock", on=d("2026-01-10"), shortfall=dec(1))


def test_a_backdated_issue_that_every_later_day_can_bear_is_taken() -> None:
    given(receive(10, "2026-01-01"), ship(8, "2026-01-15"), receive(10, "2026-01-20"))
    when(ship(2, "2026-01-10"))
    happened("stock.shipped")


def test_what_comes_later_cannot_be_issued_before() -> None:
    given(receive(10, "2026-01-20"))
    when(ship(1, "2026-01-19"))
    refused("insufficient_stock", on=d("2026-01-19"), shortfall=dec(1))


def test_days_before_an_issue_do_not_matter_to_it() -> None:
    given(receive(1, "2026-01-01"), ship(1, "2026-01-02"), receive(5, "2026-01-03"))
    when(ship(5, "2026-01-03"))
    happened("stock.shipped")


def test_what_comes_in_on_the_same_day_counts_whatever_the_hour() -> None:
    given(receive(10, "2026-01-05T18:00:00Z"))
    when(ship(10, "2026-01-05T06:00:00Z"))
    happened("stock.shipped")


def test_a_backdated_receipt_makes_room_for_a_backdated_issue() -> None:
    given(receive(10, "2026-01-20"), receive(3, "2026-01-02"))
    when(ship(3, "2026-01-10"))
    happened("stock.shipped")


def test_a_write_off_is_an_issue_like_any_other() -> None:
    given(receive(10, "2026-01-01"), ship(8, "2026-01-15"))
    when(write_off(3, "2026-01-10"))
    refused("insufficient_stock", on=d("2026-01-15"), available=dec(2), shortfall=dec(1))


def test_a_write_off_keeps_its_reason() -> None:
    given(receive(10, "2026-01-01"))
    when(write_off(3, "2026-01-10", reason="expiry", note="found behind the shelf"))
    [event] = happened("stock.written_off")
    assert isinstance(event, WrittenOff)
    assert (event.reason, event.note) == ("expiry", "found behind the shelf")


def test_a_warehouse_that_allows_it_may_fall_below_nothing() -> None:
    given(register_warehouse("south", negative_stock="allow"))
    when(ship(5, "2026-01-10", warehouse="south"))
    happened("stock.shipped")
    item = now(StockItem, "south", "lamp")
    assert isinstance(item, StockItem)
    assert balance(item.days[""], d("2026-01-10")) == dec(-5)


def test_lots_are_apart() -> None:
    given(receive(10, "2026-01-01", lot="L1"), receive(2, "2026-01-01", lot="L2"))
    when(ship(3, "2026-01-02", lot="L2"))
    refused("insufficient_stock", available=dec(2), shortfall=dec(1))


def test_an_issue_without_a_lot_takes_what_there_is() -> None:
    given(receive(10, "2026-01-01", lot="L1"))
    when(ship(11, "2026-01-02"))
    refused("insufficient_stock", available=dec(10), shortfall=dec(1), on=d("2026-01-02"))


def test_warehouses_are_apart() -> None:
    given(register_warehouse("south"), receive(10, "2026-01-01"))
    when(ship(1, "2026-01-02", warehouse="south"))
    refused("insufficient_stock", available=dec(0))


def test_a_finer_quantity_than_the_product_has_is_refused_and_not_rounded() -> None:
    when(receive("1.5", "2026-01-01"))
    refused("invalid", field="quantity", places=0)


@pytest.mark.parametrize("issue", [ship, write_off])
def test_a_finer_issue_is_refused_even_where_stock_may_be_negative(issue) -> None:
    given(register_warehouse("south", negative_stock="allow"))
    when(issue("0.5", warehouse="south"))
    refused("invalid", field="quantity", places=0)


def test_trailing_zeros_are_no_decimal_places() -> None:
    when(receive("1.000", "2026-01-01"))
    happened("stock.received")


def test_kilograms_have_three_places() -> None:
    given(register_product("flour", scale=3), receive("1.250", "2026-01-01", product="flour"))
    when(ship("1.250", "2026-01-02", product="flour"))
    happened("stock.shipped")


def test_the_cost_of_a_unit_becomes_the_cost_of_all_rounded_half_up() -> None:
    given(register_product("flour", scale=3))
    when(receive("0.333", product="flour", unit_cost="1.51"))
    [event] = happened("stock.received")
    assert isinstance(event, Received)
    assert str(event.cost) == "0.50"


def test_the_cost_of_all_is_kept_as_it_is() -> None:
    when(receive(3, cost="10.01"))
    [event] = happened("stock.received")
    assert isinstance(event, Received)
    assert str(event.cost) == "10.01"


def test_a_finer_cost_than_the_currency_has_is_refused() -> None:
    when(receive(3, cost="10.01", currency="JPY"))
    refused("invalid", field="cost", places=0)


def test_a_cost_that_no_amount_can_hold_is_refused() -> None:
    when(receive(999_999_999_999_999, unit_cost="999999999999999"))
    refused("invalid", field="unit_cost")


@pytest.mark.parametrize(("field", "kind"), [("product", "product"), ("warehouse", "warehouse")])
@pytest.mark.parametrize("move", [receive, ship, write_off])
def test_what_is_not_registered_does_not_move(move, field, kind) -> None:
    when(move(1, **{field: "unknown"}))
    refused("not_found", kind=kind, id="unknown")


def test_a_shipment_names_a_deal_that_exists() -> None:
    given(receive(1))
    when(ship(1, deal="D9"))
    refused("not_found", kind="deal", id="D9")


def test_a_products_movements_keep_their_order_over_all_warehouses() -> None:
    given(register_warehouse("south"))
    when(receive(1), receive(1, warehouse="south"))
    assert {entry.order_key for entry in entries()} == {"product-lamp"}
    assert [entry.originator_id for entry in entries()] == ["stock-north/lamp", "stock-south/lamp"]
