"""What several answers have in common: their form as JSON, and what they were computed from."""

from collections.abc import Mapping
from typing import Any

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


def json(schema: Mapping[str, Any], **more: object) -> dict[str, Any]:
    return {"application/json": {"schema": schema, **more}}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
