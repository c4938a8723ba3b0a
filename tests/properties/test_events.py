"""Every event type is read as it was written; an old one is brought up to date step by step."""

import json
import types
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from domain import event as events
from domain.aggregate import Entry
from domain.event import Event, decode, event_types
from infra.postgres.record import to_record
from tests.properties.histories import moments

LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    date: st.dates(date(1900, 1, 1), date(2999, 12, 31)),
    datetime: moments,
    Decimal: st.decimals(-(10**15) + 1, 10**15 - 1, places=6) | st.integers(-(10**15) + 1, 10**15 - 1).map(Decimal),
}


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """What a field of this type may hold."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in LEAVES:
        return LEAVES[annotation]
    if annotation is type(None):
        return st.none()
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values, inner))
    if origin is list:
        return st.lists(values(inner[0]), max_size=3)
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=3)
    return models(annotation)


def models(cls: type[BaseModel]) -> st.SearchStrategy[Any]:
    return st.builds(cls, **{name: values(field.annotation) for name, field in cls.model_fields.items()})


@pytest.mark.parametrize("type", sorted(event_types()))
@given(data=st.data(), at=moments)
def test_an_event_is_read_as_it_was_written(type: str, data: st.DataObject, at: Any) -> None:
    event = data.draw(models(event_types()[type]))
    stored = to_record(Entry("s", 1, event, at, at.date()))
    assert (stored.topic, stored.schema_version) == (type, event.version)
    again = decode(stored.topic, stored.schema_version, stored.state)
    assert again == event
    assert to_record(Entry("s", 1, again, at, at.date())).state == stored.state


@pytest.mark.parametrize("cls", event_types().values(), ids=sorted(event_types()))
def test_no_event_holds_a_float(cls: type[Event]) -> None:
    assert not any("number" in types for types in json_types(cls.model_json_schema(mode="serialization")))


def json_types(schema: Any) -> Iterator[list[str]]:
    """Every "type" in a JSON Schema, however deep."""
    match schema:
        case dict():
            if isinstance(schema.get("type"), str):
                yield [schema["type"]]
            for inner in schema.values():
                yield from json_types(inner)
        case list():
            for inner in schema:
                yield from json_types(inner)


@pytest.fixture
def third() -> Iterator[type[Event]]:
    """A type whose name was split, and whose amount got a currency."""

    class Third(Event, type="test.happened", version=3):
        first: str
        last: str
        amount: Decimal
        currency: str

        @staticmethod
        def upcast_v1_v2(payload: dict[str, Any]) -> None:
            payload["first"], payload["last"] = payload.pop("name").split(" ", 1)

        @staticmethod
        def upcast_v2_v3(payload: dict[str, Any]) -> None:
            payload["currency"] = "EUR"

    yield Third
    del events._registry["test.happened"]


@settings(max_examples=10)
@given(first=st.text("ab"), last=st.text("ab "), amount=st.integers(0, 99).map(str))
def test_an_old_event_is_brought_up_to_date_step_by_step(
    third: type[Event], first: str, last: str, amount: str
) -> None:
    def payload(**fields: str) -> str:
        return json.dumps(fields)

    now = third.model_validate({"first": first, "last": last, "amount": amount, "currency": "EUR"})
    assert decode("test.happened", 1, payload(name=f"{first} {last}", amount=amount)) == now
    assert decode("test.happened", 2, payload(first=first, last=last, amount=amount)) == now
    assert decode("test.happened", 3, payload(first=first, last=last, amount=amount, currency="EUR")) == now
