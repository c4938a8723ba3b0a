"""What does not fit its model, as a refusal."""

from collections.abc import Sequence
from typing import Any, Protocol

from domain.refusal import Refusal


class Errors(Protocol):
    """pydantic's, and FastAPI's of a request."""

    def errors(self) -> Sequence[Any]: ...


def invalid(error: Errors) -> Refusal:
    """What they say, naming each field."""
    fields = [f"{_path(each['loc'])}: {each['msg'].removeprefix('Value error, ')}" for each in error.errors()]
    return Refusal("invalid", "; ".join(fields[:20]), errors=fields[:20])


def _path(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location if part not in ("query", "path", "body")) or "body"
