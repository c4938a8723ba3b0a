"""POST /v1/commands and /v1/commands/batch."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import cache
from time import perf_counter
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import Counter

from api.http import bodies
from api.http.plain import PlainRoute
from api.http.problems import answer, problem
from api.openapi import BATCH, COMMAND
from api.rendering import dumps
from api.service import Service
from commands.bus import Accepted, Mode, Options, Outcome, Refused
from commands.command import Command
from domain.refusal import Refusal
from infra.telemetry import APPENDS, COMMANDS

NDJSON = "application/x-ndjson"


def mount(app: FastAPI, service: Service) -> None:
    settings = service.settings

    async def post_command(request: Request) -> Response:
        """Have one command decided and committed."""
        options = _options(request)
        body = await bodies.read(request, settings.max_body_bytes)
        command = bodies.command(bodies.json(body), request.headers.get("idempotency-key"))
        started = perf_counter()
        [outcome] = await service.bus.execute_async([command], options)
        APPENDS.observe(perf_counter() - started)
        _count([command], [outcome])
        if isinstance(outcome, Refused):
            return answer(outcome.refusal)
        status = 200 if outcome.replayed or options.dry_run else 201
        headers = {"Idempotent-Replay": "true"} if outcome.replayed else None
        return Response(dumps(accepted(outcome)), status, headers, media_type="application/json")

    async def post_batch(request: Request) -> Response:
        """Have many commands decided and committed together; answers a line for each, in order.

        Independent: a refused one keeps no other out. Atomic: all or none.
        """
        options = _options(request)
        body = await bodies.read(request, settings.max_batch_bytes)
        items = await asyncio.to_thread(bodies.many, body, settings.max_batch_commands)
        lines = await asyncio.to_thread(_execute, service, items, options)
        if body.lstrip()[:1] == b"[":
            return Response(dumps(lines), media_type="application/json")
        return Response(b"\n".join(map(dumps, lines)) + b"\n", media_type=NDJSON)

    for path, endpoint, extra in (("/v1/commands", post_command, COMMAND), ("/v1/commands/batch", post_batch, BATCH)):
        app.router.add_api_route(
            path, endpoint, methods=["POST"], tags=["commands"], openapi_extra=extra, route_class_override=PlainRoute
        )


PLAIN = Options()


def _options(request: Request) -> Options:
    if not request.scope["query_string"]:
        return PLAIN
    given = dict(request.query_params)
    mode, dry_run = given.pop("mode", "independent"), given.pop("dry_run", "false").lower()
    if mode not in ("independent", "atomic"):
        raise Refusal("invalid", "mode: independent or atomic", field="mode")
    if dry_run not in ("true", "false", "1", "0"):
        raise Refusal("invalid", "dry_run: true or false", field="dry_run")
    if given:
        raise Refusal("invalid", f"There is no parameter {', '.join(sorted(given))}.")
    return Options(cast("Mode", mode), dry_run=dry_run in ("true", "1"))


def _execute(service: Service, items: Sequence[object], options: Options) -> list[dict[str, Any]]:
    read = [bodies.command_or_refusal(item) for item in items]
    commands = [item for item in read if isinstance(item, Command)]
    if options.mode == "atomic" and len(commands) < len(read):
        reason = Refusal("batch_refused", "Another command of the atomic batch was refused.")
        return [problem(item if isinstance(item, Refusal) else reason) for item in read]
    outcomes = service.bus.execute(commands, options)
    _count(commands, outcomes)
    return list(_lines(read, iter(outcomes), options.dry_run))


def _lines(read: Sequence[Command | Refusal], outcomes: Iterator[Outcome], dry_run: bool) -> Iterator[dict[str, Any]]:
    for item in read:
        outcome = item if isinstance(item, Refusal) else next(outcomes)
        match outcome:
            case Refusal():
                yield problem(outcome)
            case Refused(command_id=id, refusal=refusal):
                yield {"command_id": id, **problem(refusal)}
            case Accepted(replayed=replayed):
                yield {"status": 200 if replayed or dry_run else 201, **accepted(outcome)}


def accepted(outcome: Accepted) -> dict[str, Any]:
    events = [
        {"position": event.position, "type": event.type, "stream": event.stream, "version": event.version}
        for event in outcome.events
    ]
    return {"command_id": outcome.command_id, "position": outcome.position, "events": events}


def _count(commands: Sequence[Command], outcomes: Sequence[Outcome]) -> None:
    for command, outcome in zip(commands, outcomes, strict=True):
        result = (
            outcome.refusal.code if isinstance(outcome, Refused) else "replayed" if outcome.replayed else "accepted"
        )
        _counter(command.type, result).inc()


@cache
def _counter(type: str, result: str) -> Counter:
    return COMMANDS.labels(type, result)
