"""Waits for an answer as long as it is wanted: until the caller's time is over, or he has hung up."""

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from api.service import Service
from domain.refusal import Refusal
from projections.query import Parameters

T = TypeVar("T")


FRESH_MS, BEHIND_MS = 250, 2_000
"""How long is waited for what this server has booked, and for what is asked for by its position, unless told."""


async def in_time(service: Service, request: Request, projection: str, given: Parameters, ask: Callable[[], T]) -> T:
    """Read your writes: the answer as soon as there is one, or ``behind`` if there is none in time. Who asks for no
    position is given what this server had booked when he asked, or else what there is."""
    if given.min_position is None and given.known_at is None:
        await _fresh(service, request, projection, FRESH_MS if given.wait_ms is None else given.wait_ms)
    deadline = monotonic() + (BEHIND_MS if given.wait_ms is None else given.wait_ms) / 1000
    while True:
        try:
            return await in_turn(service, request, ask)
        except Refusal as refusal:
            left = deadline - monotonic()
            if refusal.code != "behind" or left <= 0:
                raise
            await while_there(request, service.waiting.until(projection, refusal.facts, left))


async def _fresh(service: Service, request: Request, projection: str, wait_ms: int) -> None:
    booked, era = service.store.acknowledged, service.store.era
    if wait_ms and not service.waiting.has_seen(projection, booked, era):
        await while_there(request, service.waiting.until_seen(projection, booked, era, wait_ms / 1000))


async def in_turn(service: Service, request: Request, ask: Callable[[], T]) -> T:
    """The answer, as soon as there is a thread for it."""
    asking = service.readers.run(ask)
    return await (asking if service.readers.are_free else while_there(request, asking))


async def while_there(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """For who has hung up nothing is done any more. ClientDisconnect."""
    working = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
