"""Clients, products and warehouses: each is registered once, under an id of the caller's or a made one."""

import pytest

from domain.clients import Registered as ClientRegistered
from domain.products import Registered as ProductRegistered
from domain.warehouses import Registered as WarehouseRegistered
from tests.unit.given import command, entries, given, happened, refused, when
from tests.unit.words import register_client, register_product, register_warehouse


def test_a_client_is_registered_with_what_is_known() -> None:
    when(register_client("C1", name="Łódź & Söhne", source="fair", attributes={"size": "big"}))
    [event] = happened("client.registered")
    assert event == ClientRegistered(client="C1", name="Łódź & Söhne", source="fair", attributes={"size": "big"})
    assert [(entry.originator_id, entry.order_key) for entry in entries()] == [("client-C1", "client-C1")]


def test_a_product_is_registered_with_its_scale_and_costing() -> None:
    when(register_product("flour", scale=3, unit="kg", name="Flour"))
    [event] = happened("product.registered")
    assert event == ProductRegistered(product="flour", name="Flour", unit="kg", scale=3, costing="fifo")


def test_a_warehouse_says_whether_it_may_fall_below_nothing() -> None:
    when(register_warehouse("north", negative_stock="allow"))
    [event] = happened("warehouse.registered")
    assert event == WarehouseRegistered(warehouse="north", name="Depot", negative_stock="allow")


@pytest.mark.parametrize("register", [register_client, register_product, register_warehouse])
def test_what_is_registered_is_not_registered_again(register) -> None:
    given(register("X"))
    when(register("X"))
    refused("already_exists", id="X")


def test_kinds_do_not_share_their_ids() -> None:
    when(register_client("X"), register_product("X"), register_warehouse("X"))
    happened("client.registered", "product.registered", "warehouse.registered")


def test_ids_that_look_alike_are_apart() -> None:
    given(register_client("C-1"))
    when(register_client("c-1"), register_client("C-1-1"))
    happened("client.registered", "client.registered")


@pytest.mark.parametrize(
    "new",
    [
        {"type": "client.register", "name": "Anna"},
        {"type": "product.register", "name": "Lamp", "unit": "pcs", "scale": 0, "costing": "average"},
        {"type": "warehouse.register", "name": "Depot", "negative_stock": "forbid"},
    ],
)
def test_a_missing_id_of_a_new_thing_is_made(new) -> None:
    when(command(**new), command(**new))
    first, second = (entry.originator_id for entry in entries())
    assert first != second
