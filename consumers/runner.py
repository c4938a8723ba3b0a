"""Runs projectors in a thread, one after the other, and sleeps a little longer each time there is nothing to do."""

from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Protocol

import structlog

from consumers.ports import WINDOW
from projections.projection import Projection

log = structlog.get_logger(__name__)

LOOKING = 0.01, 0.05
"""Seconds between two looks at the store, from the shortest to the longest. No NOTIFY: it takes a lock over the whole
server at each commit. Not shorter either: each look costs a transaction a projection, and under load a batch is worth
waiting for."""

NONE = 0.0, 0.0
"""The feed waits by itself."""

AFTER_AN_ERROR = 1.0


class Turning(Protocol):
    """A projector, or what stands for one."""

    @property
    def projection(self) -> Projection: ...

    def turn(self) -> int:
        """Gives how many positions it moved."""

    def close(self) -> None: ...


class Runner:
    def __init__(self, projectors: Sequence[Turning], pauses: tuple[float, float] = LOOKING) -> None:
        self._projectors = projectors
        self._shortest, self._longest = pauses
        self._stopped = Event()
        self._work = Event()
        self._thread = Thread(target=self._run, name="projectors", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Somebody waits for what is not yet projected."""
        self._work.set()

    def stop(self) -> None:
        """Finishes the batch at hand."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join()

    def ask_to_stop(self) -> None:
        self._stopped.set()
        self._work.set()

    def _run(self) -> None:
        pause = self._shortest
        while not self._stopped.is_set():
            self._work.clear()
            moved, failed = self._turn_all()
            if moved > WINDOW:
                continue
            pause = self._shortest if moved else min(pause * 2, self._longest)
            if wait := AFTER_AN_ERROR if failed else pause:
                self._work.wait(wait)
        for projector in self._projectors:
            with suppress(Exception):  # what it holds is given back by the end of the process, if not by it
                projector.close()

    def _turn_all(self) -> tuple[int, bool]:
        """One turn of each. One that fails halts where it is; the others go on."""
        moved, failed = 0, False
        for projector in self._projectors:
            try:
                moved += projector.turn()
            except Exception as error:
                failed = True
                log.error("projection halted", projection=projector.projection.name, error=repr(error))
        return moved, failed
