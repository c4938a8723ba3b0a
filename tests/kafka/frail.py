"""``grossbuch`` that falls by its own hand, at a moment that a signal from outside would rarely hit.

``FALLS`` in the environment names the moment, how often it is passed before, and the signal: ``rows copied:3:SIGKILL``.
"""

import os
import signal
from collections.abc import Callable
from functools import wraps
from itertools import count
from threading import Lock
from typing import Any

from api.cli import main
from infra.kafka import feed
from infra.kafka.publisher import TopicPublisher
from infra.postgres import baton, connection
from infra.postgres.read_models import PostgresReadModels

SESSION_MS = 6_000
"""A group misses its members as soon as a broker allows."""

METADATA_MS = 2_000
"""Consumers see soon that a topic is there again."""

HUNG = "3s"
"""And the database those that hang."""

MOMENTS: dict[str, tuple[type, str, bool]] = {
    "batch sent": (TopicPublisher, "_commit", False),
    "batch committed": (TopicPublisher, "_commit", True),
    "rows copied": (PostgresReadModels, "add", True),
    "rows committed": (PostgresReadModels, "write", True),
}
"""Before, or after a method of a class."""

_copying = Lock()
"""The server waits without end for one that stops while it copies, so they stop before or after."""


def fall(sign: signal.Signals) -> None:
    with _copying:
        os.kill(os.getpid(), sign)


def falling(method: Callable[..., Any], passes: int, sign: signal.Signals, *, after: bool) -> Callable[..., Any]:
    calls = count()

    @wraps(method)
    def frail(*given: Any, **more: Any) -> Any:
        due = next(calls) == passes
        if due and not after:
            fall(sign)
        result = method(*given, **more)
        if due and after:
            fall(sign)
        return result

    return frail


def whole(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def undisturbed(*given: Any) -> None:
        with _copying:
            method(*given)

    return undisturbed


if __name__ == "__main__":
    feed.CONSUMER["session_timeout_ms"] = SESSION_MS
    feed.CONSUMER["metadata_max_age_ms"] = METADATA_MS
    connection.HUNG = baton.SILENT = HUNG
    if told := os.environ.get("FALLS"):
        moment, passes, sign = told.split(":")
        PostgresReadModels._copy = whole(PostgresReadModels._copy)  # type: ignore[method-assign]
        of, name, after = MOMENTS[moment]
        setattr(of, name, falling(getattr(of, name), int(passes), signal.Signals[sign], after=after))
    main()
