"""Runs projectors in a thread, one after the other, and sleeps a little longer each time there is nothing to do."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event
from time import monotonic
from typing import Protocol

import structlog

from commands.ports import Unavailable
from consumers.ports import WINDOW, Health
from consumers.watched import watched
from projections.projection import Projection

log = structlog.get_logger(__name__)

LOOKING = 0.01, 0.25
"""Seconds between two looks at the store, from the shortest to the longest. No NOTIFY: it takes a lock over the whole
server at each commit. Not shorter either: under load a batch is worth waiting for. What this process has booked itself
ends a longer rest at once."""

REGULARLY = 1.0
"""Seconds after which all take a turn without news, too: not all that they look after is in the book."""

NONE = 0.0, 0.0
"""The feed waits by itself."""

AFTER_AN_ERROR = 1.0

QUIET = 15.0
"""Seconds without an error after which one that has halted is said to go on, if it did not move: there was nothing, or
its feed is still looking for what it halted at."""


class Turning(Protocol):
    """A projector, or what stands for one."""

    @property
    def projection(self) -> Projection: ...

    def turn(self) -> int:
        """Gives how many positions it moved."""

    def close(self) -> None: ...


class Runner:
    def __init__(
        self,
        projectors: Sequence[Turning],
        health: Health,
        pauses: tuple[float, float] = LOOKING,
        clock: Callable[[], float] = monotonic,
        news: Callable[[], object] | None = None,
    ) -> None:
        """``news`` is something that changes when there may be something to do, and is asked for all at once."""
        self._news = news
        self._heard: object = None
        self._turned_at = -REGULARLY
        self._projectors = projectors
        self._health = health
        self._clock = clock
        self._failed_at: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._shortest, self._longest = pauses
        self._stopped = Event()
        self._work = Event()
        self._rests_long = False
        self._thread = watched("projectors", self._run, self._stopped)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Somebody waits for what is not yet projected."""
        self._work.set()

    def stir(self) -> None:
        """There is something to do; it may well be done along with what comes next, if that is soon."""
        if self._rests_long:
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
            moved, failed = self._turn_all() if self._is_due() else (0, False)
            if moved or failed:
                self._heard = None
            if moved > WINDOW:
                continue
            pause = self._shortest if moved else min(pause * 2, self._longest)
            self._rests_long = pause > self._shortest
            if wait := AFTER_AN_ERROR if failed else pause:
                self._work.wait(wait)
            self._rests_long = False
        for projector in self._projectors:
            with suppress(Exception):  # what it holds is given back by the end of the process, if not by it
                projector.close()

    def _is_due(self) -> bool:
        if self._news is None:
            return True
        try:
            heard = self._news()
        except Exception:
            return True  # each tells for itself what is wrong
        if heard == self._heard and self._clock() < self._turned_at + REGULARLY:
            return False
        self._heard, self._turned_at = heard, self._clock()
        return True

    def _turn_all(self) -> tuple[int, bool]:
        """One turn of each. One that fails halts where it is; the others go on."""
        moved, failed = 0, False
        for projector in self._projectors:
            work = f"projection {projector.projection.name}"
            try:
                by = projector.turn()
            except Unavailable as error:
                failed = True
                if work not in self._waiting:
                    self._waiting.add(work)
                    log.warning(f"{work} waits", error=str(error))
            except Exception as error:
                failed = True
                self._failed_at[work] = self._clock()
                self._health.halted(work, error)
            else:
                moved += by
                self._goes_on(work, by)
        return moved, failed

    def _goes_on(self, work: str, moved: int) -> None:
        if work in self._waiting and moved:
            self._waiting.discard(work)
            log.warning(f"{work} goes on")
        failed_at = self._failed_at.get(work)
        if failed_at is not None and (moved or self._clock() >= failed_at + QUIET):
            del self._failed_at[work]
            self._health.goes_on(work)
