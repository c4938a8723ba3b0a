"""A stranger reads the topic with another client, by docs/reference/asyncapi.json alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest

from consumers.ports import Recorded, Topic
from infra.kafka.broker import Broker
from tests.kafka.carrying import Message, are_carried, events, fresh, marked, publisher

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.json"))
DOCUMENT = json.loads((ROOT / "docs" / "reference" / "asyncapi.json").read_text())

MARK = "grossbuch.mark"
METADATA = '{"actor":"anna","command_id":"c-1","correlation_id":"import 7","reason":"as agreed"}'


def schema(message: str, part: str) -> jsonschema_rs.Validator:
    """Of the headers or the payload of a message that the document names."""
    told = {**DOCUMENT["components"]["messages"][message][part], "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(told, validate_formats=True)


def valid(message: Message) -> bool:
    """As far as the document tells. Which of its messages it is, the header says."""
    name = message.headers["ce_type"]
    channel = DOCUMENT["channels"]["events"]["messages"]
    assert name in channel
    if not schema(name, "headers").is_valid(dict(message.headers)):
        return False
    if "payload" not in DOCUMENT["components"]["messages"][name]:
        return message.key is None and message.value == b""
    return message.key is not None and schema(name, "payload").is_valid(json.loads(message.value))


def golden(position: int, file: Path) -> Recorded:
    type, _, version = file.stem.rpartition(".v")
    stream = f"{type.partition('.')[0]}-{position}"
    payload = json.dumps(json.loads(file.read_text()), separators=(",", ":"), ensure_ascii=False)
    times = ("2026-01-31 23:00:00+00", f"2026-02-01 08:00:00.{position:06}+00")
    metadata = METADATA if position % 2 else "{}"
    return Recorded(position, stream, 1, type, int(version), f"key-{position}", *times, payload, metadata)


@pytest.fixture(scope="module")
def topic() -> Topic:
    """Named as the document says."""
    default: str = DOCUMENT["channels"]["events"]["parameters"]["topic"]["default"]
    assert DOCUMENT["channels"]["events"]["address"] == "{topic}"
    ledger = fresh().name.removesuffix(".events")
    return Topic(default.replace("grossbuch", ledger), 3, str(uuid4()))


@pytest.fixture(scope="module")
def found(broker: Broker, topic: Topic) -> list[Message]:
    """One event of each version of each type, and marks."""
    with publisher(broker, topic) as made:
        made.publish([golden(position, file) for position, file in enumerate(GOLDEN, 1)])
        made.mark()
        are_carried(broker, topic, len(GOLDEN))
        return marked(broker, topic, 2)


def test_every_message_is_as_the_document_says(found: list[Message]) -> None:
    assert [each for each in found if not valid(each)] == []
    assert {each.headers["ce_type"] for each in found} == DOCUMENT["channels"]["events"]["messages"].keys()


def test_every_header_is_in_the_document(found: list[Message]) -> None:
    schemas = DOCUMENT["components"]["schemas"]
    own = {"ce_type", "ce_schemaversion"}
    for message in found:
        told = schemas["MarkHeaders" if message.is_mark else "EventHeaders"]["properties"].keys() | own
        assert message.headers.keys() <= told


def test_what_is_known_of_the_command_goes_along(found: list[Message]) -> None:
    of_a_command, plain = (next(each for each in events(found) if each.position % 2 == odd) for odd in (1, 0))
    carried = {"ce_actor": "anna", "ce_commandid": "c-1", "ce_correlationid": "import 7"}
    assert carried.items() <= of_a_command.headers.items()
    assert carried.keys().isdisjoint(plain.headers)


def of_type(found: list[Message], type: str) -> Message:
    return next(each for each in found if each.headers["ce_type"] == type)


def broken(message: Message) -> Iterator[Message]:
    """Each time one thing is wrong."""
    optional = {"ce_ledgerid", "ce_actor", "ce_commandid", "ce_correlationid", "ce_type"}
    headers = dict(message.headers)
    for name in headers.keys() - optional:
        yield message._replace(headers={each: value for each, value in headers.items() if each != name})
    yield message._replace(headers={**headers, "ce_position": "0"})
    yield message._replace(headers={**headers, "ce_time": "yesterday"})
    yield message._replace(headers={**headers, "ce_ledgerid": "nobody"})
    if message.is_mark:
        yield message._replace(value=b"{}")
        return
    yield message._replace(headers={**headers, "ce_schemaversion": "99"})
    yield message._replace(key=None)
    payload: dict[str, Any] = json.loads(message.value)
    for wrong in ({**payload, "no_such_field": 1}, dict.fromkeys(payload, 7.5), {}):
        yield message._replace(value=json.dumps(wrong).encode())


@pytest.mark.parametrize("type", DOCUMENT["components"]["messages"])
def test_a_message_of_which_one_thing_is_wrong_is_not(found: list[Message], type: str) -> None:
    wrong = list(broken(of_type(found, type)))
    assert len(wrong) >= 8
    assert [each for each in wrong if valid(each)] == []


def test_a_message_that_is_called_another_is_not(found: list[Message]) -> None:
    moved = of_type(found, "deal.moved")
    assert not valid(moved._replace(headers={**moved.headers, "ce_type": "deal.won"}))
