"""What does not fit its model, as a refusal."""

from collections.abc import Sequence
from typing import Any, Protocol

from domain.refusal import Refusal

MOST_TOLD = 20
LONGEST = 200
"""Characters of one of them: a name that is not known may be as long as the body."""


class Errors(Protocol):
    """pydantic's, and FastAPI's of a request."""

    def errors(self) -> Sequence[Any]: ...


def invalid(error: Errors) -> Refusal:
    """What they say, naming each field."""
    fields = [
        f"{_path(each['loc'])[:LONGEST]}: {each['msg'].removeprefix('Value error, ')[:LONGEST]}"
        for each in error.errors()[:MOST_TOLD]
    ]
    return Refusal("invalid", "; ".join(fields), errors=fields)


def _path(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location if part not in ("query", "path", "body")) or "body"
