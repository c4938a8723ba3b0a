"""Request bodies, read no further than their limit, and the JSON in them."""

from collections.abc import Sequence

import orjson
from fastapi import Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from api.refusing import invalid
from commands.command import Command, parse
from domain.refusal import Refusal


async def read(request: Request, limit: int) -> bytes:
    """The body; refused as soon as it is known to be too long, whether or not its length was announced."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large(limit: int) -> Refusal:
    return Refusal("too_large", f"The body is longer than {limit} bytes.", limit=limit)


def json(body: bytes) -> object:
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal("malformed", f"This is not JSON: {error}") from error
    return value


def command(value: object, idempotency_key: str | None = None) -> Command:
    if isinstance(value, dict) and idempotency_key:
        value.setdefault("command_id", idempotency_key)
        if value["command_id"] != idempotency_key:
            raise Refusal("invalid", "command_id and the header Idempotency-Key differ.", field="command_id")
    try:
        return parse(value)
    except ValidationError as error:
        raise invalid(error) from error


def command_or_refusal(item: object) -> Command | Refusal:
    """One of many: what is wrong with it concerns no other."""
    if isinstance(item, Refusal):
        return item
    try:
        return command(item)
    except Refusal as refusal:
        return refusal


def many(body: bytes, most: int) -> Sequence[object | Refusal]:
    """The items of a JSON array, or of NDJSON; a line that is not JSON is refused by itself."""
    if body.lstrip()[:1] == b"[":
        items = json(body)
        assert isinstance(items, list)
    else:
        items = [_line(line) for line in body.splitlines() if line.strip()]
    if not items:
        raise Refusal("malformed", "A batch has at least one command.")
    if len(items) > most:
        raise Refusal("too_large", f"A batch has {most} commands at the most.", limit=most)
    return items


def _line(line: bytes) -> object | Refusal:
    try:
        return json(line)
    except Refusal as refusal:
        return refusal
