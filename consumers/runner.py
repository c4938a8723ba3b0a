"""Runs projectors in a thread, one after the other, and sleeps a little longer each time there is nothing to do."""

from collections.abc import Sequence
from threading import Event, Thread

import structlog

from consumers.projector import WINDOW, Projector

log = structlog.get_logger(__name__)

SHORTEST, LONGEST = 0.01, 0.05
"""Seconds between two looks at the feed. No NOTIFY: it takes a lock over the whole server at each commit. Not shorter
either: each look costs a transaction a projection, and under load a batch is worth waiting for."""

AFTER_AN_ERROR = 1.0


class Runner:
    def __init__(self, projectors: Sequence[Projector]) -> None:
        self._projectors = projectors
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
        self._stopped.set()
        self._work.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = SHORTEST
        while not self._stopped.is_set():
            self._work.clear()
            moved, failed = self._turn_all()
            if moved > WINDOW:
                continue
            pause = SHORTEST if moved else min(pause * 2, LONGEST)
            self._work.wait(AFTER_AN_ERROR if failed else pause)

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
