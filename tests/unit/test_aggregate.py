"""Aggregates are immutable and never pass over a gap; rows know their columns."""

from dataclasses import replace

import pytest

from domain.aggregate import Snapshot, aggregate_class, blank
from domain.clients import Client
from domain.event import Event, decode, event_types
from domain.stock_item import StockItem
from projections.stock import stock, stock_promise
from tests.unit.given import entries, given, now, when
from tests.unit.words import issue, pay, receive, register_client, register_product, register_warehouse, ship


def test_an_aggregate_is_known_by_its_stream() -> None:
    assert StockItem.stream_of("north", "lamp") == "stock-north/lamp"
    assert aggregate_class("stock-north/lamp") is StockItem
    assert blank("client-C-1").id == "C-1"


def test_a_blank_one_does_not_exist() -> None:
    assert not blank("client-C1").exists


@pytest.mark.parametrize("version", [1, 3])
def test_an_entry_that_does_not_follow_is_an_error(version: int) -> None:
    when(register_client("C1"))
    [entry] = entries()
    client = Client(stream="client-C1").after(entry)
    with pytest.raises(ValueError, match="does not follow"):
        client.after(replace(entry, originator_version=version))


def test_a_decision_changes_nothing_of_the_state_it_was_made_on() -> None:
    given(register_product(), register_warehouse(), receive(10, "2026-01-01"))
    before = now(StockItem, "north", "lamp")
    kept = before.model_dump_json()
    when(ship(3, "2026-01-02"))
    [entry] = entries()
    assert entry.mutate(before).model_dump_json() != kept
    assert before.model_dump_json() == kept


@pytest.mark.parametrize("stream", ["account-C1", "stock-north/lamp", "client-C1", "product-lamp", "warehouse-north"])
def test_a_snapshot_is_the_state_it_was_taken_of(stream: str) -> None:
    given(register_client(), register_product(), register_warehouse(), receive(3, "2026-01-01", lot="L1"))
    given(issue("I1", 300, due="2026-06-10"), pay(100, allocate="oldest", payment="Z1"), pay(50, payment="Z2"))
    kind, _, id = stream.partition("-")
    state = now(aggregate_class(kind), *id.split("/"))
    kept = aggregate_class(stream).model_validate_json(Snapshot.take(state).aggregate.model_dump_json())
    assert kept == state
    assert state.exists


def test_every_event_type_is_two_words() -> None:
    assert event_types()
    assert all(type.count(".") == 1 and type.islower() for type in event_types())


def test_a_type_belongs_to_one_class() -> None:
    with pytest.raises(TypeError, match="both claim"):

        class Twin(Event, type="client.registered"):
            pass


def test_a_field_that_an_event_does_not_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        decode("client.registered", 1, '{"client": "C1", "name": "Anna", "colour": "red"}')


def test_a_row_has_only_the_columns_of_its_shape() -> None:
    assert stock.row(product="lamp", on_hand=1) == ("lamp", None, None, 1, None, None, None, None, None)
    with pytest.raises(TypeError, match="no columns colour"):
        stock.row(colour="red")


def test_a_movement_moves_nothing_that_it_does_not_name() -> None:
    assert stock_promise.move(product="lamp", reserved=2) == ("lamp", None, None, 2, 0, 0, None)
