"""Turns at a stream: those who came too late once wait for each other, instead of coming too late together again."""

from collections import deque
from collections.abc import Callable
from threading import Lock

Granted = Callable[[], object]


class Turns:
    """One turn a stream at a time, in order of asking, within this process. Others are told apart by the ledger."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[str, deque[Granted]] = {}

    def take(self, stream: str, granted: Granted) -> None:
        """``granted`` is called when it is the caller's turn, at once or by whoever releases it."""
        with self._lock:
            if stream in self._waiting:
                self._waiting[stream].append(granted)
                return
            self._waiting[stream] = deque()
        granted()

    def release(self, stream: str) -> None:
        with self._lock:
            waiting = self._waiting[stream]
            if not waiting:
                del self._waiting[stream]
                return
            granted = waiting.popleft()
        granted()
