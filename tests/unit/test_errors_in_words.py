"""Whatever is wrong with a field, its caller is told what it takes, in words: not how it is checked, nor by what."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from api.http.audit import Wanted
from api.http.bodies import command
from api.http.explain import Asked
from api.openapi.commands import command_schemas
from api.refusing import WORDS, invalid
from commands.command import command_types
from domain.refusal import Refusal
from domain.values import IN_WORDS
from projections import QUERIES
from tests.e2e.hostile_values import SIGNS, plausible

WRONG: list[object] = [
    *(
        None,
        True,
        0,
        -1,
        10**30,
        0.5,
        [],
        {},
        [[]],
        [{}],
        [None],
        ["x"] * 10_000,
        [1, 2],
        {"a b": 1},
        {"a": [1]},
        {1: 2},
    ),
    *("", " ", "a b", "x" * 201, "x" * 10_001, "1e5", "-1", "1.5", "9" * 20, "NaN", "eur", "XXX", "2", "99999"),
    *("2026-02-29", "0000-00-00", "9999-12-31", "2026-05-01T00:00:00", "2026-05-01T00:00:00.1234567Z", *SIGNS),
    *("true", "a,b", "1,2,3", "90,10", "abc;"),
]
JARGON = re.compile(
    r"\^|\\[pxw]|\]\*|\[[A-Z]-|should|[Ii]nput|permitted|pydantic|[Vv]alidat|union|literal|value_error|function-|tagged"
    r"|<|\b(str|int|bool|dict|float|list\[|None|NoneType|Decimal|datetime|class|model|tuple)\b"
    r"|is not what is taken here"
)


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Each place in it, itself included."""
    if at:
        yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, (*at, name))


def put(whole: Any, at: tuple[str | int, ...], value: object) -> Any:
    whole = deepcopy(whole)
    part = whole
    for name in at[:-1]:
        part = part[name]
    part[at[-1]] = value
    return whole


def refusals(read: Callable[[Any], object], right: Mapping[str, Any]) -> Iterator[Refusal]:
    """With each of its places wrong in each way, missing, and beside what there is not."""
    for at in places(right):
        for wrong in WRONG:
            yield from refusal(read, put(right, at, wrong))
    for name in right:
        yield from refusal(read, {each: value for each, value in right.items() if each != name})
    yield from refusal(read, {**right, "no such": 1})


def refusal(read: Callable[[Any], object], given: object) -> Iterator[Refusal]:
    try:
        read(given)
    except Refusal as refused:
        yield refused
    except ValidationError as error:
        yield invalid(error)


def full(type: str) -> dict[str, Any]:
    schemas = command_schemas()
    fields = schemas[type]["properties"]
    return {name: plausible(name, schema, schemas, Random(1)) for name, schema in fields.items()}


def speaks_in_words(refused: Refusal) -> bool:
    """What the caller wrote is quoted as it was."""
    return not JARGON.search(re.sub(r"'[^']*'", "", refused.message))


@pytest.mark.parametrize("type", command_types())
def test_what_is_wrong_with_a_command_is_said_in_words(type: str) -> None:
    found = list(refusals(lambda given: command(json.dumps(given).encode()), full(type)))
    assert len(found) > 100
    assert [each.message for each in found if not speaks_in_words(each)] == []


@pytest.mark.parametrize(
    "model", [*dict.fromkeys(query.parameters for query in QUERIES), Asked, Wanted], ids=lambda model: model.__name__
)
def test_what_is_wrong_with_a_parameter_is_said_in_words(model: type[BaseModel]) -> None:
    names = model.model_json_schema()["properties"]
    texts = [each for each in WRONG if isinstance(each, str)]
    given = [{name: text} for name in [*names, "no such"] for text in texts]
    found = [refused for each in given for refused in refusal(model.model_validate, each)]
    assert len(found) > 20
    assert [each.message for each in found if not speaks_in_words(each)] == []


def test_an_id_is_told_what_ids_are() -> None:
    [refused] = refusal(lambda given: command(json.dumps(given).encode()), {"type": "deal.win", "deal": "a b"})
    assert refused.facts == {"errors": ["deal: ids are letters, digits, . _ - :"]}


def test_what_is_wrong_inside_a_list_is_told_with_its_place() -> None:
    paid = {"type": "payment.receive", "client": "C1", "amount": "1", "currency": "EUR"}
    [inside] = refusal(lambda given: command(json.dumps(given).encode()), {**paid, "allocate": [{"invoice": "I1"}]})
    [neither] = refusal(lambda given: command(json.dumps(given).encode()), {**paid, "allocate": "newest"})
    assert inside.message == "allocate.0.amount: is missing"
    assert neither.message == 'allocate: must be "oldest" or a list'


def test_no_word_says_how_it_is_checked() -> None:
    assert [each for each in (*WORDS.values(), *IN_WORDS.values()) if JARGON.search(each)] == []
