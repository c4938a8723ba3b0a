"""The parts of the OpenAPI document that follow from the declarations of commands and queries."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from commands.command import Command, command_types
from projections import QUERIES
from projections.query import Query

TITLE = "Grossbuch"
VERSION = metadata.version("grossbuch")
DESCRIPTION = """The book of record for customers, stock and money: every change is one immutable event.

Services send commands, analysts query projections, auditors read the events themselves."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "Register a client": {"type": "client.register", "client": "C1", "name": "Anna Schmidt GmbH"},
    "Open a deal": {
        "type": "deal.open",
        "deal": "D1",
        "client": "C1",
        "pipeline": "sales",
        "amount": "1200.00",
        "currency": "EUR",
    },
    "Move it": {"type": "deal.move", "deal": "D1", "stage": "offer"},
    "Ship stock": {"type": "stock.ship", "product": "P1", "warehouse": "W1", "quantity": "5"},
    "Issue an invoice": {
        "type": "invoice.issue",
        "invoice": "I1",
        "client": "C1",
        "amount": "300.00",
        "currency": "EUR",
        "due_on": "2026-06-10",
    },
    "Receive a payment": {
        "type": "payment.receive",
        "payment": "Z1",
        "client": "C1",
        "amount": "100.00",
        "currency": "EUR",
        "allocate": "oldest",
    },
}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; docs/reference/errors.md says what to do about it"},
        "detail": {"type": "string"},
    },
}

ACCEPTED: dict[str, Any] = {
    "type": "object",
    "required": ["command_id", "position", "events"],
    "properties": {
        "command_id": {"type": "string"},
        "position": {"type": ["integer", "null"], "description": "Of its last event; null in a dry run"},
        "events": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "position": {"type": ["integer", "null"]},
                    "type": {"type": "string"},
                    "stream": {"type": "string"},
                    "version": {"type": "integer"},
                    "effective_at": {"type": "string", "format": "date-time"},
                },
            },
        },
        "made": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Ids that were left to us, by what they are of",
            "examples": [{"invoice": "019a4b6e-7c1f-7d4e-9a51-3f0c6b1d2e88"}],
        },
    },
}

META: dict[str, Any] = {
    "type": "object",
    "description": "What the answer was computed from",
    "properties": {
        "as_of": {"type": "string"},
        "known_at": {"type": "integer"},
        "log_size": {"type": "integer"},
        "behind": {"type": "integer", "description": "Events that the projection has not seen yet"},
        "projection": {"type": "string"},
        "version": {"type": "integer"},
        "quarantined": {"type": "integer", "description": "Streams that are not in it, for they could not be taken"},
    },
}


def _json(schema: Mapping[str, Any], **more: object) -> dict[str, Any]:
    return {"application/json": {"schema": schema, **more}}


def problems(*statuses: int) -> dict[str | int, Any]:
    return {
        str(status): {"description": "Refused", "content": {"application/problem+json": {"schema": PROBLEM}}}
        for status in statuses
    }


def command_schemas() -> dict[str, Any]:
    """One schema a command type, each with its ``type``; named after it, e.g. ``deal.move``."""
    schemas: dict[str, Any] = {}
    for type, cls in command_types().items():
        schema = cls.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update({f"{name}": part for name, part in schema.pop("$defs", {}).items()})
        schema["properties"] = {"type": {"const": type, "type": "string"}, **schema["properties"]}
        schema["required"] = ["type", *schema.get("required", [])]
        schemas[type] = {**schema, "title": type, "description": _first_line(cls)}
    return schemas


def _first_line(cls: type[Command]) -> str:
    return (cls.__doc__ or "").strip() if "__doc__" in vars(cls) and cls.__doc__ else cls.type


_ANY_COMMAND: dict[str, Any] = {"$ref": "#/components/schemas/Command"}

_DRY_RUN = {
    "name": "dry_run",
    "in": "query",
    "description": "Decide, append nothing",
    "schema": {"type": "boolean", "default": False},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The command_id, if the body has none",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
_BATCH_KEY = {
    **_IDEMPOTENCY_KEY,
    "description": "Makes the whole batch once-only, its commands without an id included",
}
_MODE = {
    "name": "mode",
    "in": "query",
    "description": "independent: a refused one keeps no other out; atomic: all or none",
    "schema": {"enum": ["independent", "atomic"], "default": "independent"},
}

COMMAND: dict[str, Any] = {
    "parameters": [_DRY_RUN, _IDEMPOTENCY_KEY],
    "requestBody": {
        "required": True,
        "content": _json(
            _ANY_COMMAND, examples={name: {"summary": name, "value": value} for name, value in EXAMPLES.items()}
        ),
    },
    "responses": {
        "200": {"description": "Known already, or a dry run", "content": _json(ACCEPTED)},
        "201": {"description": "Committed", "content": _json(ACCEPTED)},
        **problems(400, 404, 409, 413, 422, 503),
    },
}

BATCH: dict[str, Any] = {
    "parameters": [_MODE, _DRY_RUN, _BATCH_KEY],
    "requestBody": {
        "required": True,
        "content": {
            **_json({"type": "array", "minItems": 1, "items": _ANY_COMMAND}),
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
    "responses": {
        "200": {
            "description": "A line for each command: an answer with its status, or a problem",
            "content": {
                **_json({"type": "array", "items": {"type": "object"}}),
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        **problems(400, 413, 422, 503),
    },
}


@cache
def query_parameters(query: Query) -> list[dict[str, Any]]:
    """The parameters of a query, from its model: those in the path are in the path."""
    schema = query.parameters.model_json_schema()
    required = set(schema.get("required", ()))
    found = []
    for name, property in schema["properties"].items():
        in_path = f"{{{name}}}" in query.path
        parameter = {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in required,
            "schema": _without_null(property),
        }
        if description := property.get("description"):
            parameter["description"] = description
        if property.get("type") == "array":
            parameter |= {"style": "form", "explode": False}
        found.append(parameter)
    return found


def _without_null(property: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out, not null."""
    options = [option for option in property.get("anyOf", ()) if option.get("type") != "null"]
    rest = {name: value for name, value in property.items() if name not in ("anyOf", "title", "default", "description")}
    if default := property.get("default"):
        rest["default"] = default
    if not options:
        return rest
    return {**rest, **options[0]} if len(options) == 1 else {**rest, "anyOf": options}


def query_responses(query: Query) -> dict[str | int, Any]:
    row: type[BaseModel] = query.row
    name = f"{query.projection}.{row.__name__}"
    if query.assemble:
        schema: dict[str, Any] = {"type": "object", "properties": {"meta": META}}
        return {"200": {"description": query.title, "content": _json(schema)}, **problems(404, 422, 503)}
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    schema = {"type": "object", "properties": {"items": items, "next": {"type": ["string", "null"]}, "meta": META}}
    content = {**_json(schema), "text/csv": {"schema": {"type": "string"}}}
    statuses = (404, 422, 503) if query.things else (422, 503)
    return {"200": {"description": query.title, "content": content}, **problems(*statuses)}


_CONTRIBUTION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "position": {"type": "integer"},
        "type": {"type": ["string", "null"]},
        "stream": {"type": ["string", "null"]},
        "effective_at": {"type": ["string", "null"]},
        "recorded_at": {"type": ["string", "null"]},
        "actor": {"type": ["string", "null"]},
        "part": {"type": "string", "description": "Of what is no sum: to which part of it"},
        "contribution": {"type": ["string", "integer", "null"]},
    },
}

EXPLAINED: dict[str, Any] = {
    "description": "The events behind a figure",
    "content": {
        **_json(
            {
                "type": "object",
                "properties": {
                    "value": {"description": "A number as in the answer; of a card any fact"},
                    "parts": {"type": "object", "description": "Of what is no sum: its parts, each a sum"},
                    "items": {"type": "array", "items": _CONTRIBUTION},
                    "next": {"type": ["string", "null"]},
                    "meta": META,
                },
            }
        ),
        "text/csv": {"schema": {"type": "string"}},
    },
}


def components(queries: tuple[Query, ...]) -> dict[str, Any]:
    schemas = command_schemas()
    types = list(command_types())
    schemas["Command"] = {
        "oneOf": [{"$ref": f"#/components/schemas/{type}"} for type in types],
        "discriminator": {
            "propertyName": "type",
            "mapping": {type: f"#/components/schemas/{type}" for type in types},
        },
    }
    for query in queries:
        [_, definitions] = models_json_schema(
            [(query.row, "serialization")], ref_template=f"#/components/schemas/{query.projection}.{{model}}"
        )
        for name, schema in definitions.get("$defs", {}).items():
            schemas[f"{query.projection}.{name}"] = schema
    return schemas


def document(routes: Sequence[Any]) -> dict[str, Any]:
    """The whole document: FastAPI's, with the schemas that the declarations give."""
    found = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=routes)
    found.setdefault("components", {}).setdefault("schemas", {}).update(components(QUERIES))
    return found
