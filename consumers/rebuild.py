"""Rebuild: a new generation is filled beside the one that is read, compared with it, and takes its place. Nobody waits.

What was broken off goes on where it was: progress is kept with the rows (tests/e2e/test_rebuild.py).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from time import monotonic, sleep
from typing import Protocol

PARTITIONS = 12
"""Of a generation that is being filled: its partitions are shared by processes, whatever its readers follow."""


FREE, DONE = 0, -1


class Owners(Protocol):
    """Numbers that processes share."""

    def __getitem__(self, places: slice, /) -> Sequence[int]: ...

    def __setitem__(self, place: int, owner: int, /) -> None: ...


class Shares:
    """Which worker fills which partitions of which projection. Each takes a whole projection, for each reads the log
    once for what it fills; who finds none left takes half of what another still has. That one may have it in hand: of
    two who write the same the read models take one (Overtaken).

    ``owners`` has a number for each partition of each projection and begins with zeros; workers count from 1.
    """

    def __init__(self, partitions: int, owners: Owners, lock: AbstractContextManager[object]) -> None:
        self._partitions, self._owners, self._lock = partitions, owners, lock

    def take(self, worker: int) -> int | None:
        """The number of a projection, of which partitions are the worker's now; None if there is nothing to share."""
        with self._lock:
            whole = self._held_by(FREE)
            halves = [held[len(held) // 2 :] for held in self._held_by_others(worker) if len(held) > 1]
            taken = next(iter(whole), None) or max(halves, key=len, default=[])
            for place in taken:
                self._owners[place] = worker
            return taken[0] // self._partitions if taken else None

    def of(self, projection: int, worker: int) -> frozenset[int]:
        """The worker's partitions of a projection. They may become fewer."""
        first = projection * self._partitions
        owners = self._owners[first : first + self._partitions]
        return frozenset(partition for partition, owner in enumerate(owners) if owner == worker)

    def done(self, projection: int, worker: int) -> None:
        """What the worker has of it is filled."""
        with self._lock:
            for partition in self.of(projection, worker):
                self._owners[projection * self._partitions + partition] = DONE

    def _held_by_others(self, worker: int) -> Iterator[Sequence[int]]:
        for other in set(self._owners[:]) - {FREE, DONE, worker}:
            yield from self._held_by(other)

    def _held_by(self, worker: int) -> Sequence[Sequence[int]]:
        """Projection by projection."""
        held = [place for place, owner in enumerate(self._owners[:]) if owner == worker]
        return [list(places) for _, places in groupby(held, lambda place: place // self._partitions)]


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
