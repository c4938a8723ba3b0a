"""What of a process's work has halted, and why: told once, and once that it goes on; shown by readiness and metrics."""

import re
from collections.abc import Mapping
from threading import Lock

import structlog
from prometheus_client import Gauge

log = structlog.get_logger(__name__)

HALTED = Gauge("grossbuch_halted", "1 while this work of this process does not go on; its log says why", ["work"])


FIGURES = re.compile(r"[0-9]+")
"""A cause that differs in nothing else from the one before is the same: the book may grow meanwhile."""


class Health:
    """Of one process; its threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ailing: dict[str, str] = {}

    @property
    def ailing(self) -> Mapping[str, str]:
        """The work that has halted, each with its cause."""
        with self._lock:
            return dict(self._ailing)

    def halted(self, work: str, error: Exception) -> None:
        cause = str(error) or repr(error)
        with self._lock:
            told = FIGURES.sub("", self._ailing.get(work, "")) == FIGURES.sub("", cause)
            self._ailing[work] = cause
        if not told:
            HALTED.labels(work).set(1)
            log.error(f"{work} halted", kind=type(error).__name__, error=cause)

    def goes_on(self, work: str) -> None:
        with self._lock:
            ailed = self._ailing.pop(work, None)
        if ailed:
            HALTED.labels(work).set(0)
            log.warning(f"{work} goes on")
