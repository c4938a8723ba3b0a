"""The way back: what another thread has found out is brought into the event loop, as much as there is at one call."""

import asyncio
from collections import deque
from weakref import WeakKeyDictionary


class Returns:
    """To wake a loop costs as much as a part of the decision itself; a commit answers many at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._found: deque[tuple[asyncio.Future[int], int | Exception]] = deque()
        self._called = False

    def bring(self, future: "asyncio.Future[int]", result: int | Exception) -> None:
        """From any thread. Raises RuntimeError if the loop is closed."""
        self._found.append((future, result))
        if not self._called:
            self._called = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._called = False  # first: what comes from now on calls again
        while self._found:
            future, result = self._found.popleft()
            if future.done():  # an HTTP client that went away has cancelled it
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Returns] = WeakKeyDictionary()


def returns_to(loop: asyncio.AbstractEventLoop) -> Returns:
    returns = _of_loops.get(loop)
    if returns is None:
        returns = _of_loops.setdefault(loop, Returns(loop))
    return returns
