"""Rebuild: a new generation is filled beside the one that is read, compared with it, and takes its place. Nobody waits.

What was broken off goes on where it was: progress is kept with the rows (tests/integration/test_rebuild.py).
"""

from collections.abc import Callable, Sequence
from time import monotonic, sleep

from consumers.projector import Projector

PARTITIONS = 12
"""Of a generation that is being filled: its partitions are shared by processes, whatever its readers follow."""


def shares(workers: int, partitions: int = PARTITIONS) -> Sequence[Sequence[int]]:
    """Which partitions each of so many workers fills."""
    return [range(worker, partitions, workers) for worker in range(min(workers, partitions))]


class Pace:
    """Not more than so many positions a second; None: as fast as it goes."""

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float] = monotonic,
        rest: Callable[[float], object] = sleep,
    ) -> None:
        self._rate = rate
        self._clock, self._rest = clock, rest
        self._next = clock()

    def keep(self, moved: int) -> None:
        if self._rate:
            self._next = max(self._next, self._clock() - 1.0) + moved / self._rate
            if (ahead := self._next - self._clock()) > 0:
                self._rest(ahead)


def fill(projector: Projector, reached: Callable[[], bool], pace: Pace) -> None:
    """Turn until everything is ``reached``, whoever gets it there."""
    while not reached():
        pace.keep(projector.turn())
