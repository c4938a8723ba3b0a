"""An event says what happened. It is frozen, and its type outlives the class that declares it."""

import json
from collections.abc import Callable
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """A fact. Its type is a stable dotted name, never a module path: classes may move, stored events may not.

    A changed shape gets the next ``version`` and a static method ``upcast_v1_v2(payload: dict) -> None`` that
    brings an old payload up to it; see ``tests/properties/test_events.py``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str]
    version: ClassVar[int]

    def __init_subclass__(cls, type: str, version: int = 1) -> None:
        super().__init_subclass__()
        cls.type, cls.version = type, version
        if other := _registry.get(type):
            raise TypeError(f"{cls.__qualname__} and {other.__qualname__} both claim the event type {type}")
        _registry[type] = cls


_registry: dict[str, type[Event]] = {}


def event_types() -> dict[str, type[Event]]:
    return dict(sorted(_registry.items()))


def upcast(cls: type[Event], payload: dict[str, object], from_version: int) -> dict[str, object]:
    """Bring a payload that was written at an earlier version up to the class's version, step by step."""
    for version in range(from_version, cls.version):
        step: Callable[[dict[str, object]], None] = getattr(cls, f"upcast_v{version}_v{version + 1}")
        step(payload)
    return payload


def decode(type: str, version: int, payload: str | bytes) -> Event:
    """Read a stored payload, whatever version it was written at."""
    cls = _registry[type]
    if version == cls.version:
        return cls.model_validate_json(payload)
    return cls.model_validate(upcast(cls, json.loads(payload), version))
