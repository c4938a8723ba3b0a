"""Commands in the document: each type with an address, a schema and an example of its own, and all of them in one."""

from typing import Any

from pydantic.json_schema import models_json_schema

from api.openapi.answers import json, ref
from api.openapi.examples import EXAMPLES
from api.openapi.problems import OF_COMMANDS, problems
from commands.command import Command, command_types

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


def command_schemas() -> dict[str, Any]:
    """One schema a command type, each with its ``type``; named after it, e.g. ``deal.move``."""
    types = command_types()
    found, shared = models_json_schema(
        [(cls, "validation") for cls in types.values()], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = shared["$defs"]
    for type, cls in types.items():
        schema = schemas.pop(found[cls, "validation"]["$ref"].rpartition("/")[2])
        schema["properties"] = {"type": {"const": type, "type": "string"}, **schema["properties"]}
        schema["required"] = ["type", *schema.get("required", [])]
        schemas[type] = {**schema, "title": type, "description": _told(cls)}
    return schemas


def _bodies(schemas: dict[str, Any]) -> dict[str, Any]:
    """At an address of its own a command need not tell its type."""
    return {
        _body(type): {**schemas[type], "title": _body(type), "required": schemas[type]["required"][1:]}
        for type in command_types()
    }


def _body(type: str) -> str:
    return f"{type}.body"


def _told(cls: type[Command]) -> str:
    return " ".join(cls.__doc__.split()).replace("``", "`") if "__doc__" in vars(cls) and cls.__doc__ else cls.type


def components() -> dict[str, Any]:
    schemas = command_schemas()
    references = {type: f"#/components/schemas/{type}" for type in command_types()}
    any_command = {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "type", "mapping": references},
    }
    return {**schemas, **_bodies(schemas), "Command": any_command, "Accepted": ACCEPTED}


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


_RESPONSES: dict[str | int, Any] = {
    "200": {"description": "Known already, or a dry run", "content": json(ref("Accepted"))},
    "201": {"description": "Committed", "content": json(ref("Accepted"))},
    **problems(*OF_COMMANDS),
}

COMMAND: dict[str, Any] = {
    "parameters": [_DRY_RUN, _IDEMPOTENCY_KEY],
    "requestBody": {
        "required": True,
        "content": json(
            ref("Command"),
            examples={
                type: {"summary": summary, "value": {"type": type, **fields}}
                for type, (summary, fields) in EXAMPLES.items()
            },
        ),
    },
    "responses": _RESPONSES,
}


def paths() -> dict[str, Any]:
    """The address of each command type."""
    return {f"/v1/commands/{type}": {"post": _operation(type, cls)} for type, cls in command_types().items()}


def _operation(type: str, cls: type[Command]) -> dict[str, Any]:
    summary, *example = EXAMPLES.get(type, (type,))
    return {
        "summary": summary,
        "description": _told(cls),
        "parameters": [_DRY_RUN, _IDEMPOTENCY_KEY],
        "requestBody": {
            "required": True,
            "content": json(ref(_body(type)), **({"example": example[0]} if example else {})),
        },
        "responses": _RESPONSES,
    }


BATCH: dict[str, Any] = {
    "parameters": [_MODE, _DRY_RUN, _BATCH_KEY],
    "requestBody": {
        "required": True,
        "content": {
            **json({"type": "array", "minItems": 1, "items": ref("Command")}),
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
    "responses": {
        "200": {
            "description": "A line for each command: an answer with its status, or a problem",
            "content": {
                **json({"type": "array", "items": {"type": "object"}}),
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        **problems("malformed", "too_large", "invalid", "command_id_reused", "busy", "unavailable"),
    },
}
