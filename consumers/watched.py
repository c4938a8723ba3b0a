"""A thread of work does not die unnoticed: it begins again."""

from collections.abc import Callable
from threading import Event, Thread

import structlog

log = structlog.get_logger(__name__)

REST = 1.0
"""Seconds before it begins again."""


def watched(name: str, work: Callable[[], object], stopped: Event) -> Thread:
    """A thread, not started, that works until ``stopped``. What nobody expected is told, and the work begun again."""

    def run() -> None:
        while not stopped.is_set():
            try:
                work()
                return
            except Exception:
                log.exception("begins again", work=name)
                stopped.wait(REST)

    return Thread(target=run, name=name, daemon=True)
