"""Threads of their own for those who ask: however many they are and however long it takes, commands do not wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from domain.refusal import Refusal
from infra.postgres.connection import once_more

T = TypeVar("T")

MOST_WAITING = 2_000
"""More are turned away at once."""


def busy() -> Refusal:
    return Refusal("busy", "Too many queries are being answered at the moment.")


class Readers:
    """As many as there are connections for them. Those who wait for one are turned away when the patience ends."""

    def __init__(self, threads: int, patience: float) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="reader")
        self._most = threads
        self._patience = patience
        self._asking = 0

    @property
    def are_free(self) -> bool:
        """Whether one has a turn at once."""
        return self._asking < self._most

    async def run(self, read: Callable[[], T]) -> T:
        """Once more if the connection is lost meanwhile. For who is cancelled while he waits nothing is read."""
        if self._asking >= MOST_WAITING:
            raise busy()
        reading = self._threads.submit(once_more, read)
        late = asyncio.get_running_loop().call_later(self._patience, reading.cancel)
        self._asking += 1
        try:
            return await asyncio.wrap_future(reading)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if reading.cancelled() and not (task and task.cancelling()):
                raise busy() from None
            raise
        finally:
            self._asking -= 1
            late.cancel()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
