"""Reads on in the book while what was read is published."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from consumers.ports import Log, Recorded


class Ahead:
    """A log that has read what probably comes next by the time it is asked for. Only in a backlog: where less was there
    than was asked for, it waits to be asked."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._thread = ThreadPoolExecutor(1, "reads ahead")
        self._next: tuple[int, Future[Sequence[Recorded]]] | None = None

    def end(self) -> int:
        return self._log.end()

    def read(self, after: int, upto: int) -> Sequence[Recorded]:
        expected, self._next = self._next, None
        found: Sequence[Recorded] = ()
        if expected and expected[0] == after:
            found = [event for event in expected[1].result() if event.position <= upto]
        found = found or self._log.read(after, upto)
        if found and found[-1].position == upto:
            self._next = upto, self._thread.submit(self._log.read, upto, upto + len(found))
        return found
