"""The OpenAPI document: FastAPI's of the routes, and what follows from the declarations of commands and queries."""

from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Any

from fastapi.openapi.utils import get_openapi

from api.openapi import commands, problems, queries
from api.openapi.areas import AREAS, names
from projections import QUERIES

TITLE = "Grossbuch"
VERSION = metadata.version("grossbuch")
DESCRIPTION = """The book of record for customers, stock and money: every change is one immutable event.

Services send commands, analysts query projections, auditors read the events themselves.

Problems are told apart by their `code`; a later release may have more of them."""


def document(routes: Sequence[Any]) -> dict[str, Any]:
    found = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=routes)
    found["info"]["license"] = {"name": "All rights reserved", "identifier": "LicenseRef-All-Rights-Reserved"}
    found |= {
        "servers": [{"url": "/", "description": "This server"}],
        "security": [],
        "tags": [{"name": area.name, "description": area.description} for area in AREAS],
    }
    found["paths"] |= commands.paths()
    for path, operations in found["paths"].items():
        for operation in operations.values():
            area, operation["operationId"] = names(path)
            operation["tags"] = [area]
    schemas = {**commands.components(), **queries.components(QUERIES)}
    schemas |= problems.schemas({reference.rpartition("/")[2] for reference in _references(found)})
    found["components"] = {"schemas": {name: {**_plain(each), "title": name} for name, each in schemas.items()}}
    plain: dict[str, Any] = _plain(found, titled=("info", "components"))
    return plain


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def _plain(node: Any, titled: tuple[str, ...] = ()) -> Any:
    """Without what pydantic says too much: titles that are the names again, and that what may be missing is null."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {name: each if name in titled else _plain(each) for name, each in node.items() if not _is_noise(name, each)}


def _is_noise(name: str, value: object) -> bool:
    return (name == "title" and isinstance(value, str)) or (name == "default" and value is None)
