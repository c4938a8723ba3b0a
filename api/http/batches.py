"""POST /v1/commands/batch: many commands, decided some at a time, and answered while the next are decided."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.http import bodies
from api.http.commands import REPLAY, read_options
from api.http.deciding import Deciding, batch_key
from api.http.plain import PlainRoute
from api.http.problems import problem
from api.http.splitting import Item, split
from api.openapi.commands import BATCH
from api.rendering import dumps
from api.service import Service
from commands.ports import Unavailable
from domain.refusal import Refusal
from infra.postgres.connection import LOST

CHUNK = 1_000
"""Commands of an independent batch that are committed together."""

Decided = AsyncIterator[tuple[list[bytes], bool]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Form:
    begin: bytes
    between: bytes
    end: bytes
    media_type: str


ARRAY = Form(b"[", b",", b"]\n", "application/json")
LINES = Form(b"", b"\n", b"\n", "application/x-ndjson")


class ToTheEnd(StreamingResponse):
    """A client that has gone has sent its batch nevertheless: it is decided to the end."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            await self.stream_response(send)
        except OSError:
            async for _ in self.body_iterator:
                pass


def mount(app: FastAPI, service: Service) -> None:
    settings = service.settings

    async def post_batch(request: Request) -> Response:
        """Have many commands decided; answers a line for each, in order.

        Independent: a refused one keeps no other out. Atomic: all or none.
        """
        options = read_options(request)
        body = bodies.pieces(request, settings.max_batch_bytes)
        items, is_array = await split(body, settings.max_batch_commands, settings.max_body_bytes)
        key = request.headers.get("idempotency-key")
        if key is not None:
            options = replace(options, key=await asyncio.to_thread(batch_key, key, items))
        form = ARRAY if is_array else LINES
        decided = _decided(Deciding(service.bus, options), items)
        known: list[bytes] = []
        async for lines, replayed in decided:
            known += lines
            if not replayed:
                return ToTheEnd(_written(form, known, decided), media_type=form.media_type)
        return Response(form.begin + form.between.join(known) + form.end, 200, REPLAY, form.media_type)

    app.router.add_api_route(
        "/v1/commands/batch",
        post_batch,
        methods=["POST"],
        summary="Send many commands",
        openapi_extra=BATCH,
        route_class_override=PlainRoute,
    )


async def _decided(deciding: Deciding, items: Sequence[Item]) -> Decided:
    """Lines as they are decided, and whether all of them were replayed. Once some have been answered, the others tell
    what went wrong, and nothing after them is tried."""
    together = len(items) if deciding.options.mode == "atomic" else CHUNK
    for start in range(0, len(items), together):
        try:
            decided = await asyncio.to_thread(deciding.lines, items[start : start + together], start + 1)
        except Exception as error:
            if start == 0:
                raise
            yield [dumps(problem(_failure(error)))] * (len(items) - start), False
            return
        yield decided


def _failure(error: Exception) -> Refusal:
    if isinstance(error, (Unavailable, *LOST)):
        log.warning("batch broken off", error=str(error).strip())
        return Refusal("unavailable", "The database cannot be reached. Send the batch again with the same ids.")
    log.error("batch broken off", exc_info=error)
    return Refusal("internal", "Something went wrong here. Send the batch again with the same ids.")


async def _written(form: Form, begun: Sequence[bytes], rest: Decided) -> AsyncIterator[bytes]:
    yield form.begin + form.between.join(begun)
    async for lines, _ in rest:
        yield form.between + form.between.join(lines)
    yield form.end
