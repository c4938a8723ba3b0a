"""The AsyncAPI document: the topic as a stranger reads it. What it says of messages follows from the event types and
infra/kafka/wire.py, and is compared with real messages (tests/kafka/test_wire.py)."""

from collections.abc import Mapping
from typing import Any

from api.openapi import TITLE, VERSION
from domain.event import Event, event_types
from infra.kafka.wire import LARGEST, MARK

DESCRIPTION = """Every event of a ledger, once. Read committed. Events with the same key are in one partition, in order.

An event is a CloudEvent in binary mode: what is said of it is in the headers, all of them text, and the value is its
payload. A mark carries no event: it tells readers of a quiet partition how far the book is."""

NUMBER = {"type": "string", "pattern": "^[1-9][0-9]*$"}
NUMBER_OR_0 = {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}
TIME = {"type": "string", "format": "date-time"}
TEXT = {"type": "string"}

BOTH: dict[str, Any] = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": {**TEXT, "description": "With ce_source unique"},
    "ce_source": {**TEXT, "pattern": "^/grossbuch/", "description": "/grossbuch/ and the ledger"},
    "ce_time": {
        **TIME,
        "description": "When it was recorded; the timestamp of the message is the same, in milliseconds",
    },
    "ce_position": {**NUMBER, "description": "In the book; ascends in a partition"},
    "ce_previous": {**NUMBER_OR_0, "description": "Position of the message before it in its partition; 0: the first"},
}
"""What the headers of every message say."""

IF_TOLD: dict[str, Any] = {
    "ce_ledgerid": {
        **TEXT,
        "format": "uuid",
        "description": "Identity of the ledger: another of the same name has another. Messages of the release before"
        " do not tell it",
    },
}

OF_EVENTS: dict[str, Any] = {
    "content-type": {"const": "application/json"},
    "ce_subject": {**TEXT, "description": "The stream"},
    "ce_effectiveat": {**TIME, "description": "When it counts in business"},
    "ce_version": {**NUMBER, "description": "Place in its stream, from 1 and without gaps"},
}

IF_KNOWN: dict[str, Any] = {
    "ce_actor": {**TEXT, "description": "Who"},
    "ce_commandid": {**TEXT, "description": "The command that it came of"},
    "ce_correlationid": {**TEXT, "description": "What the command belonged to"},
}

KEY = {
    "type": "string",
    "description": "What keeps its order: the stream; of stock the product; of receivables the client",
}


def document(ledger: str = "grossbuch") -> dict[str, Any]:
    """The whole document."""
    messages: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for type, cls in _types().items():
        payload = cls.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        schemas |= payload.pop("$defs", {})
        schemas[type] = payload
        messages[type] = _event(type, cls)
    messages[MARK] = _mark()
    schemas["EventHeaders"] = _headers({**BOTH, **OF_EVENTS}, {**IF_TOLD, **IF_KNOWN})
    schemas["MarkHeaders"] = _headers({**BOTH, "ce_type": {"const": MARK}}, IF_TOLD)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": TITLE, "version": VERSION, "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {"events": _channel(ledger, messages)},
        "operations": {"publish": {"action": "send", "channel": {"$ref": "#/channels/events"}}},
        "components": {"messages": messages, "schemas": schemas},
    }


def _types() -> dict[str, type[Event]]:
    return {type: cls for type, cls in event_types().items() if "." in type}


def _channel(ledger: str, messages: Mapping[str, Any]) -> dict[str, Any]:
    kept = {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1, "max.message.bytes": LARGEST}
    return {
        "address": "{topic}",
        "title": "The book",
        "parameters": {
            "topic": {
                "default": f"{ledger}.events",
                "description": "The ledger and .events; after `grossbuch recover --book-holds` with the beginning of"
                " its identity at its end, after `grossbuch repartition 24` with -24",
            }
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {"topicConfiguration": kept, "bindingVersion": "0.5.0"}},
    }


def _event(type: str, cls: type[Event]) -> dict[str, Any]:
    """Its headers are those of every event, and say which it is."""
    own = {"ce_type": {"const": type}, "ce_schemaversion": {"const": str(cls.version)}}
    told = cls.__doc__ if "__doc__" in vars(cls) and cls.__doc__ else ""
    return {
        "name": type,
        "title": type,
        **({"description": " ".join(told.split())} if told else {}),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/EventHeaders"},
                {"type": "object", "properties": own, "required": list(own)},
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{type}"},
        "bindings": {"kafka": {"key": KEY, "bindingVersion": "0.5.0"}},
    }


def _mark() -> dict[str, Any]:
    return {
        "name": MARK,
        "title": MARK,
        "description": "Up to its position there is nothing more in this partition. It has no key, and an empty value.",
        "headers": {"$ref": "#/components/schemas/MarkHeaders"},
        "bindings": {"kafka": {"bindingVersion": "0.5.0"}},
    }


def _headers(always: Mapping[str, Any], sometimes: Mapping[str, Any]) -> dict[str, Any]:
    """Others may be added."""
    return {"type": "object", "properties": {**always, **sometimes}, "required": list(always)}
