"""Transfers: what leaves one warehouse is on its way until the other has it, or it is lost."""

import pytest

from domain.stock_item import StockItem
from domain.transfers import Accepted, LostInTransit
from tests.unit.given import d, dec, entries, given, happened, now, refused, when
from tests.unit.words import accept, dispatch, receive, register_product, register_warehouse, ship


@pytest.fixture(autouse=True)
def _ten_lamps_in_the_north() -> None:
    given(register_product("lamp"), register_warehouse("north"), register_warehouse("south"))
    given(receive(10, "2026-01-01"))


def test_both_warehouses_know_of_it_in_one_commit() -> None:
    when(dispatch(4, "2026-01-02"))
    happened("stock.dispatched", "stock.announced")
    assert [entry.originator_id for entry in entries()] == ["stock-north/lamp", "stock-south/lamp"]
    assert {entry.order_key for entry in entries()} == {"product-lamp"}


def test_what_is_on_its_way_is_in_neither() -> None:
    given(dispatch(4, "2026-01-02"))
    when(ship(7, "2026-01-03"))
    refused("insufficient_stock", available=dec(6))
    when(ship(1, "2026-01-03", warehouse="south"))
    refused("insufficient_stock", available=dec(0))


def test_what_has_arrived_can_be_shipped_on() -> None:
    given(dispatch(4, "2026-01-02"), accept(4, "2026-01-05"))
    when(ship(4, "2026-01-05", warehouse="south"))
    happened("stock.shipped")


def test_what_is_lost_on_the_way_is_written_off_from_transit() -> None:
    given(dispatch(4, "2026-01-02"))
    when(accept(3, "2026-01-05", loss=1))
    arrived, lost = happened("stock.accepted", "stock.lost_in_transit")
    assert isinstance(arrived, Accepted)
    assert isinstance(lost, LostInTransit)
    assert (arrived.quantity, lost.quantity) == (dec(3), dec(1))
    item = now(StockItem, "south", "lamp")
    assert isinstance(item, StockItem)
    assert item.transit == {}


def test_it_may_arrive_in_parts_and_not_in_more_than_was_sent() -> None:
    given(dispatch(4, "2026-01-02"), accept(1, "2026-01-05"))
    when(accept(3, "2026-01-06", loss=1))
    refused("transfer_exceeded", open=dec(3), shortfall=dec(1))
    when(accept(2, "2026-01-06", loss=1))
    happened("stock.accepted", "stock.lost_in_transit")
    when(accept(1, "2026-01-07"))
    refused("not_found", kind="open transfer", id="T1")


def test_lots_arrive_as_they_were_sent_with_their_expiry() -> None:
    given(receive(2, "2026-01-01", lot="A", expires_on="2026-06-01"))
    when(dispatch(5, "2026-01-02"))
    happened(*["stock.dispatched", "stock.announced"] * 2)
    when(accept(3, "2026-01-03"))
    events = happened("stock.accepted", "stock.accepted")
    assert [(e.lot, int(e.quantity)) for e in events if isinstance(e, Accepted)] == [("A", 2), (None, 1)]
    item = now(StockItem, "south", "lamp")
    assert isinstance(item, StockItem)
    assert item.lots["A"].expires_on == d("2026-06-01")


def test_nothing_arrives_before_it_was_sent() -> None:
    given(dispatch(4, "2026-01-02"))
    when(accept(4, "2026-01-01"))
    refused("out_of_order", kind="transfer", id="T1")


def test_what_was_lost_and_turns_up_is_received_with_its_transfer() -> None:
    given(dispatch(4, "2026-01-02"), accept(3, "2026-01-05", loss=1))
    when(receive(1, "2026-02-01", warehouse="south", transfer="T1"))
    happened("stock.received")
    when(receive(1, "2026-02-01", transfer="T9"))
    refused("not_found", kind="transfer", id="T9")


def test_a_transfer_is_made_once() -> None:
    given(dispatch(1, "2026-01-02"))
    when(dispatch(1, "2026-01-02"))
    refused("already_exists", kind="transfer", id="T1")


def test_the_quantity_is_as_fine_as_the_product_is_counted() -> None:
    given(dispatch(4, "2026-01-02"))
    when(accept("0.5", "2026-01-05"))
    refused("invalid", field="quantity", places=0)
