"""POST /v1/commands, and an address for each type; and what one and many have in common."""

import asyncio
from collections.abc import Sequence
from datetime import UTC
from functools import cache
from reprlib import repr as shown
from time import perf_counter
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import Counter

from api.http import bodies
from api.http.plain import PlainRoute
from api.http.problems import answer
from api.openapi.commands import COMMAND
from api.rendering import line
from api.service import Service
from commands.bus import Accepted, Mode, Options, Outcome, Refused
from commands.command import Command, is_command_type
from domain.refusal import Refusal
from infra.telemetry import APPENDS, COMMANDS

LONG = 50_000
"""Bytes from which on a body is not parsed in the event loop."""

REPLAY = {"Idempotent-Replay": "true"}


def mount(app: FastAPI, service: Service) -> None:
    settings = service.settings

    async def post_command(request: Request) -> Response:
        """Have one command of any type decided and committed."""
        type = request.path_params.get("type")
        if type is not None and not is_command_type(type):
            raise Refusal("not_found", f"There is no command type {shown(type)}.", kind="command", id=type[:64])
        options = read_options(request)
        body = await bodies.read(request, settings.max_body_bytes)
        key = request.headers.get("idempotency-key")
        if len(body) < LONG:
            command = bodies.command(body, key, type)
        else:
            command = await asyncio.to_thread(bodies.command, body, key, type)
        started = perf_counter()
        [outcome] = await service.bus.execute_async([command], options)
        APPENDS.observe(perf_counter() - started)
        count([command], [outcome])
        if isinstance(outcome, Refused):
            return answer(outcome.refusal)
        status = 200 if outcome.replayed or options.dry_run else 201
        headers = REPLAY if outcome.replayed else None
        return Response(line(accepted(outcome)), status, headers, media_type="application/json")

    app.router.add_api_route(
        "/v1/commands",
        post_command,
        methods=["POST"],
        summary="Send a command",
        openapi_extra=COMMAND,
        route_class_override=PlainRoute,
    )
    app.router.add_api_route(
        "/v1/commands/{type}",
        post_command,
        methods=["POST"],
        include_in_schema=False,
        route_class_override=PlainRoute,
    )


PLAIN = Options()


def read_options(request: Request) -> Options:
    if not request.scope["query_string"]:
        return PLAIN
    given = dict(request.query_params)
    if len(given) < len(request.query_params.multi_items()):
        raise Refusal("invalid", "A parameter stands twice.")
    mode, dry_run = given.pop("mode", "independent"), given.pop("dry_run", "false").lower()
    if mode not in ("independent", "atomic"):
        raise Refusal("invalid", "mode: independent or atomic", field="mode")
    if dry_run not in ("true", "false", "1", "0"):
        raise Refusal("invalid", "dry_run: true or false", field="dry_run")
    if given:
        raise Refusal("invalid", f"There is no parameter {', '.join(sorted(given))[:200]}.")
    return Options(cast("Mode", mode), dry_run=dry_run in ("true", "1"))


def accepted(outcome: Accepted) -> dict[str, Any]:
    events = [
        {
            "position": event.position,
            "type": event.type,
            "stream": event.stream,
            "version": event.version,
            "effective_at": event.effective_at.astimezone(UTC),
        }
        for event in outcome.events
    ]
    made = {"made": outcome.made} if outcome.made else {}
    return {"command_id": outcome.command_id, "position": outcome.position, **made, "events": events}


def count(commands: Sequence[Command], outcomes: Sequence[Outcome]) -> None:
    for command, outcome in zip(commands, outcomes, strict=True):
        result = (
            outcome.refusal.code if isinstance(outcome, Refused) else "replayed" if outcome.replayed else "accepted"
        )
        _counter(command.type, result).inc()


@cache
def _counter(type: str, result: str) -> Counter:
    return COMMANDS.labels(type, result)
