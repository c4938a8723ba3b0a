"""Reads on, in a thread, while what was read is written: the relay's book, and a consumer's feed."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from consumers.ports import Batch, Feed, Log, Recorded


class LogAhead:
    """A log that has read what probably comes next by the time it is asked for. Only in a backlog: where less was there
    than was asked for, it waits to be asked."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._thread = ThreadPoolExecutor(1, "reads ahead")
        self._next: tuple[int, Future[Sequence[Recorded]]] | None = None

    def end(self) -> int:
        return self._log.end()

    def read(self, after: int, upto: int, recorded_at: str | None = None) -> Sequence[Recorded]:
        expected, self._next = self._next, None
        found: Sequence[Recorded] = ()
        if expected and expected[0] == after:
            found = [event for event in expected[1].result() if event.position <= upto]
        found = found or self._log.read(after, upto, recorded_at)
        if found and found[-1].position == upto:
            self._next = upto, self._thread.submit(self._log.read, upto, upto + len(found), found[-1].recorded_at)
        return found


class FeedAhead:
    """A feed that reads what comes next before what it brought has been written. That is never taken for written: who
    begins again begins at the read model's place. ``feed`` is used by one thread at a time, and not always the same."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._thread = ThreadPoolExecutor(1, "reads ahead")
        self._next: Future[Sequence[Batch]] | None = None

    def read(self) -> Sequence[Batch]:
        expected, self._next = self._next, None
        batches = expected.result() if expected else self._feed.read()
        if batches:
            self._next = self._thread.submit(self._feed.read)
        return batches

    def rewind(self) -> None:
        self._drop()
        self._feed.rewind()

    def close(self) -> None:
        self._drop()
        self._thread.shutdown()
        self._feed.close()

    def _drop(self) -> None:
        """What went wrong will go wrong again, and is told then."""
        expected, self._next = self._next, None
        if expected:
            with suppress(Exception):
                expected.result()
