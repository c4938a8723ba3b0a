"""Starts the server again when it died: killed, out of memory, crashed. Connections are lost, nothing committed is."""

from threading import Event, Thread
from types import TracebackType
from typing import Protocol, Self

import structlog

log = structlog.get_logger(__name__)

EVERY = 0.2
"""Seconds between two looks."""


class Mortal(Protocol):
    def revive(self) -> bool:
        """Start it again if it is dead; whether it was."""


class Watchdog:
    def __init__(self, server: Mortal) -> None:
        self._server = server
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY):
            try:
                if self._server.revive():
                    log.warning("database server died and was started again")
            except Exception as error:
                log.error("database server died and does not start", error=str(error))
