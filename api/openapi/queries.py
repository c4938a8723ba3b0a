"""Queries in the document: parameters and answers, from their models."""

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.openapi.answers import META, json, ref
from api.openapi.problems import OF_QUERIES, problems
from projections.query import Query


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
    refused = problems(*(("not_found",) if query.things or query.assemble else ()), *OF_QUERIES)
    if query.assemble:
        schema: dict[str, Any] = {"type": "object", "properties": {"meta": ref("Meta")}}
        return {"200": {"description": query.title, "content": json(schema)}, **refused}
    row: type[BaseModel] = query.row
    items = {"type": "array", "items": ref(f"{query.projection}.{row.__name__}")}
    schema = {
        "type": "object",
        "required": ["items", "next", "meta"],
        "properties": {"items": items, "next": {"type": ["string", "null"]}, "meta": ref("Meta")},
    }
    content = {**json(schema), "text/csv": {"schema": {"type": "string"}}}
    return {"200": {"description": query.title, "content": content}, **refused}


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
        **json(
            {
                "type": "object",
                "properties": {
                    "value": {"description": "A number as in the answer; of a card any fact"},
                    "parts": {"type": "object", "description": "Of what is no sum: its parts, each a sum"},
                    "items": {"type": "array", "items": _CONTRIBUTION},
                    "next": {"type": ["string", "null"]},
                    "meta": ref("Meta"),
                },
            }
        ),
        "text/csv": {"schema": {"type": "string"}},
    },
}


def components(queries: tuple[Query, ...]) -> dict[str, Any]:
    """Of the rows of lists; what is put together of several is an object."""
    schemas: dict[str, Any] = {"Meta": META}
    for query in (each for each in queries if not each.assemble):
        [_, definitions] = models_json_schema(
            [(query.row, "serialization")], ref_template=f"#/components/schemas/{query.projection}.{{model}}"
        )
        for name, schema in definitions.get("$defs", {}).items():
            schemas[f"{query.projection}.{name}"] = schema
    return schemas
