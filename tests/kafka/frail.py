"""``grossbuch`` that falls by its own hand, at a moment that a signal from outside would rarely hit.

``FALLS`` in the environment names the moment, how often it is passed before, and the signal: ``rows copied:3:SIGKILL``.
"""

import faulthandler
import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from itertools import count
from typing import Any

import api.cli
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


def falling(method: Callable[..., Any], passes: int, sign: signal.Signals, *, after: bool) -> Callable[..., Any]:
    calls = count()

    @wraps(method)
    def falls(*given: Any, **more: Any) -> Any:
        due = next(calls) == passes
        if due and not after:
            os.kill(os.getpid(), sign)
        result = method(*given, **more)
        if due and after:
            os.kill(os.getpid(), sign)
        return result

    return falls


def tell(*_: object) -> None:
    """What all threads are doing, and where each feed takes itself to be."""
    faulthandler.dump_traceback()
    for each in gc.get_objects():
        if isinstance(each, feed.TopicFeed):
            held = {partition: chain and chain.at for partition, chain in each._held.items()}
            states = each._consumer and each._consumer._subscription.assignment
            told = {partition.partition: vars(state) for partition, state in (states or {}).items()}
            sys.stderr.write(f"{each._options['group_id']} holds {held}, of which the library says {told}\n")
    sys.stderr.flush()


def frail() -> None:
    signal.signal(signal.SIGUSR1, tell)
    feed.CONSUMER["session_timeout_ms"] = SESSION_MS
    feed.CONSUMER["metadata_max_age_ms"] = METADATA_MS
    connection.HUNG = baton.SILENT = HUNG
    if told := os.environ.get("FALLS"):
        moment, passes, sign = told.split(":")
        of, name, after = MOMENTS[moment]
        setattr(of, name, falling(getattr(of, name), int(passes), signal.Signals[sign], after=after))
    api.cli.main()
