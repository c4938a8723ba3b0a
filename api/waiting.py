"""Read your writes: those who wait for a projection to get somewhere, with one look at the database for all of them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from domain.refusal import Fact
from infra.postgres.queries import Places, Queries

LOOK_EVERY = 0.005
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    projection: str
    wanted: Mapping[str, Fact]
    """What it is to get to: a ``min_position`` or what was ``known_at`` one."""
    there: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def is_met(self, queries: Queries, places: Places) -> bool:
        match self.wanted:
            case {"min_position": int(position)}:
                return queries.has(self.projection, position, places)
            case {"known_at": int(position)}:
                return min(places[self.projection]) >= position
        return True


class Waiting:
    """``wake`` has the projections go on."""

    def __init__(self, queries: Queries, wake: Callable[[], object]) -> None:
        self._queries = queries
        self._wake = wake
        self._waiters: set[Waiter] = set()
        self._seen: dict[tuple[str, int], int] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="waiting")
        self._looking: asyncio.Task[None] | None = None

    def has_seen(self, projection: str, position: int, era: int) -> bool:
        """Whether it is known to be there, without asking the database. Not from one era to the next: then the book may
        have been set back."""
        return position <= self._seen.get((projection, era), 0)

    async def until_seen(self, projection: str, position: int, era: int, seconds: float) -> None:
        """It is there, which is known from now on; or as of ``until``."""
        if await self.until(projection, {"min_position": position}, seconds):
            self._seen[projection, era] = max(position, self._seen.get((projection, era), 0))

    async def until(self, projection: str, wanted: Mapping[str, Fact], seconds: float) -> bool:
        """It has got there, and True; or the time is over, or nobody can tell."""
        waiter = Waiter(projection, wanted)
        self._waiters.add(waiter)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        try:
            await asyncio.wait([waiter.there], timeout=seconds)
            return waiter.there.done() and waiter.there.result()
        finally:
            self._waiters.discard(waiter)

    async def _look_on(self) -> None:
        while self._waiters:
            self._wake()
            await asyncio.sleep(LOOK_EVERY)
            met, known = await asyncio.get_running_loop().run_in_executor(self._thread, self._met, tuple(self._waiters))
            for waiter in met:
                if not waiter.there.done():
                    waiter.there.set_result(known)
                self._waiters.discard(waiter)

    def _met(self, waiters: Sequence[Waiter]) -> tuple[Sequence[Waiter], bool]:
        """All, not knowing, if the database cannot be asked: they are told so when they ask."""
        try:
            places = self._queries.places()
            return [waiter for waiter in waiters if waiter.is_met(self._queries, places)], True
        except Exception:
            return waiters, False

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
