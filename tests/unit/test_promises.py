"""Promises: what is reserved may not be given to others; what is ordered is not there yet."""

import pytest

from domain.promises import OrderCancelled, Released
from domain.stock import Received, Shipped
from tests.unit.given import dec, given, happened, refused, when
from tests.unit.words import (
    cancel_order,
    count_stock,
    define_pipeline,
    dispatch,
    open_deal,
    order,
    receive,
    register_client,
    register_product,
    register_warehouse,
    release,
    reserve,
    return_out,
    ship,
    write_off,
)


@pytest.fixture(autouse=True)
def _ten_lamps_in_the_north() -> None:
    given(register_product("lamp"), register_warehouse("north"), register_warehouse("south"))
    given(receive(10, "2026-01-01"))


def test_available_is_on_hand_less_reserved() -> None:
    given(reserve(7, "2026-01-02"))
    when(reserve(4, "2026-01-03", reservation="R2"))
    refused("insufficient_stock", available=dec(3), shortfall=dec(1))


@pytest.mark.parametrize("take", [ship, dispatch, return_out])
def test_what_is_reserved_is_not_given_to_others(take: object) -> None:
    given(reserve(7, "2026-01-02"))
    assert callable(take)
    when(take(4, "2026-01-03"))
    refused("insufficient_stock", available=dec(3), shortfall=dec(1))


def test_what_was_promised_for_later_is_not_given_away_before() -> None:
    given(reserve(7, "2026-01-20"))
    when(ship(4, "2026-01-03"))
    refused("insufficient_stock", available=dec(3))


def test_a_shipment_keeps_the_promise_and_the_rest_stays() -> None:
    given(reserve(7, "2026-01-02"))
    when(ship(4, "2026-01-03", reservation="R1"))
    [event] = happened("stock.shipped")
    assert isinstance(event, Shipped)
    assert (event.reservation, event.reserved) == ("R1", dec(4))
    when(release("R1", "2026-01-04"))
    [released] = happened("stock.released")
    assert isinstance(released, Released)
    assert released.quantity == 3


def test_what_was_reserved_for_a_deal_goes_to_its_client() -> None:
    given(register_client(), define_pipeline(), open_deal("D1"), reserve(7, "2026-01-02", deal="D1"))
    when(ship(4, "2026-01-03", reservation="R1"))
    [event] = happened("stock.shipped")
    assert isinstance(event, Shipped)
    assert (event.deal, event.client) == ("D1", "C1")
    when(ship(1, "2026-01-03", reservation="R1", client="C2"))
    refused("invalid", field="client", client="C1")


def test_beyond_its_promise_a_shipment_takes_only_what_is_free() -> None:
    given(reserve(4, "2026-01-02"), reserve(4, "2026-01-02", reservation="R2"))
    when(ship(7, "2026-01-03", reservation="R1"))
    refused("insufficient_stock", available=dec(6), shortfall=dec(1))
    when(ship(6, "2026-01-03", reservation="R1"))
    [event] = happened("stock.shipped")
    assert isinstance(event, Shipped)
    assert (event.quantity, event.reserved) == (dec(6), dec(4))


def test_what_is_lost_is_lost_promised_or_not() -> None:
    given(reserve(7, "2026-01-02"))
    when(write_off(5, "2026-01-03"))
    happened("stock.written_off")
    when(count_stock(4, "2026-01-04"))
    happened("stock.counted")
    when(ship(4, "2026-01-05", reservation="R1"))
    happened("stock.shipped")


def test_a_promise_is_not_kept_twice() -> None:
    given(reserve(4, "2026-01-02"), ship(4, "2026-01-03", reservation="R1"))
    when(ship(1, "2026-01-04", reservation="R1"))
    refused("not_found", kind="open reservation", id="R1")
    when(release("R1"))
    refused("not_found", kind="open reservation", id="R1")


def test_a_promise_is_not_kept_before_it_was_made() -> None:
    given(reserve(4, "2026-01-05"))
    when(ship(4, "2026-01-04", reservation="R1"))
    refused("out_of_order", kind="reservation", id="R1")


def test_a_reservation_of_another_place_is_none_here() -> None:
    given(reserve(4, "2026-01-02"), receive(4, "2026-01-02", warehouse="south"))
    when(ship(4, "2026-01-03", warehouse="south", reservation="R1"))
    refused("not_found", kind="open reservation")


@pytest.mark.parametrize("say", [release, cancel_order])
def test_what_was_never_promised_is_not_found(say: object) -> None:
    assert callable(say)
    when(say("X9"))
    refused("not_found", id="X9")


def test_a_reservation_is_made_once() -> None:
    given(reserve(1))
    when(reserve(1))
    refused("already_exists", kind="reservation", id="R1")


def test_a_warehouse_that_allows_it_promises_what_is_not_there() -> None:
    given(register_warehouse("east", negative_stock="allow"))
    when(reserve(5, warehouse="east"))
    happened("stock.reserved")


def test_what_comes_in_fills_the_order() -> None:
    given(order(6, "2026-01-02"))
    when(receive(4, "2026-01-03", order="O1"))
    [event] = happened("stock.received")
    assert isinstance(event, Received)
    assert (event.order, event.ordered) == ("O1", dec(4))
    when(cancel_order("O1", "2026-01-04"))
    [cancelled] = happened("stock.order_cancelled")
    assert isinstance(cancelled, OrderCancelled)
    assert cancelled.quantity == 2


def test_more_than_was_ordered_is_received_and_fills_no_more_than_the_order() -> None:
    given(order(6, "2026-01-02"))
    when(receive(9, "2026-01-03", order="O1"))
    [event] = happened("stock.received")
    assert isinstance(event, Received)
    assert (event.quantity, event.ordered) == (dec(9), dec(6))


def test_what_is_ordered_cannot_be_issued_yet() -> None:
    given(order(6, "2026-01-02"))
    when(ship(11, "2026-01-03"))
    refused("insufficient_stock", available=dec(10))
