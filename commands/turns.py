"""Turns: those who came too late at a stream wait for each other, instead of coming too late together again; and of two
tries of one command the second waits for the first."""

from collections import deque
from collections.abc import Callable
from threading import Lock

Granted = Callable[[], object]


class Turns:
    """One turn a name at a time, in order of asking, within this process. Others are told apart by the ledger."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[str, deque[Granted]] = {}

    def take_if_free(self, name: str) -> bool:
        with self._lock:
            if name in self._waiting:
                return False
            self._waiting[name] = deque()
            return True

    def take(self, name: str, granted: Granted) -> None:
        """``granted`` is called when it is the caller's turn, at once or by whoever releases it."""
        with self._lock:
            if name in self._waiting:
                self._waiting[name].append(granted)
                return
            self._waiting[name] = deque()
        granted()

    def release(self, name: str) -> None:
        with self._lock:
            waiting = self._waiting[name]
            if not waiting:
                del self._waiting[name]
                return
            granted = waiting.popleft()
        granted()
