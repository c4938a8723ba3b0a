"""Request bodies, read no further than their limit, and the commands in them."""

from collections.abc import AsyncIterator

from fastapi import Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from api import strict_json
from api.refusing import invalid
from commands.command import Command, parse
from domain.refusal import Refusal


async def read(request: Request, limit: int) -> bytes:
    return b"".join([piece async for piece in pieces(request, limit)])


async def pieces(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes; refused as soon as it is known to be too long, whether or not its length was announced."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        yield piece
        more = message.get("more_body", False)


def _too_large(limit: int) -> Refusal:
    return Refusal("too_large", f"The body is longer than {limit} bytes.", limit=limit)


def command(text: bytes, idempotency_key: str | None = None, type: str | None = None) -> Command:
    """``type`` is that of the address; the body need not say it again."""
    value = strict_json.loads(text)
    if isinstance(value, dict) and type is not None and value.setdefault("type", type) != type:
        raise Refusal("invalid", f"type: at this address it is {type}", field="type")
    if isinstance(value, dict) and idempotency_key is not None:
        value.setdefault("command_id", idempotency_key)
        if value["command_id"] != idempotency_key:
            raise Refusal("invalid", "command_id and the header Idempotency-Key differ.", field="command_id")
    return valid(value)


def valid(value: object) -> Command:
    try:
        return parse(value)
    except ValidationError as error:
        raise invalid(error) from error


def command_or_refusal(item: object) -> Command | Refusal:
    """One of many: what is wrong with it concerns no other."""
    if isinstance(item, Refusal):
        return item
    try:
        return valid(item)
    except Refusal as refusal:
        return bare(refusal)


def bare(refusal: Refusal) -> Refusal:
    """To be kept: with its traceback it would keep all that was read."""
    return Refusal(refusal.code, refusal.message, **refusal.facts)
