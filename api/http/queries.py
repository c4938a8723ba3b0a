"""Mounts the projections' queries: one route each, with as_of, known_at, min_position, JSON and CSV."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.http.plain import PlainRoute
from api.http.problems import answer
from api.openapi import query_parameters, query_responses
from api.querying import Answer, ask
from api.refusing import invalid
from api.rendering import csv_cell, dumps, flat, to_csv
from api.service import Service
from domain.refusal import Refusal
from projections import QUERIES
from projections.query import Parameters, Query

T = TypeVar("T")


def mount(app: FastAPI, service: Service) -> None:
    for query in QUERIES:
        app.router.add_api_route(
            query.path,
            _endpoint(service, query),
            tags=["queries"],
            route_class_override=PlainRoute,
            name=query.title,
            openapi_extra={"parameters": query_parameters(query), "responses": query_responses(query)},
        )


def _endpoint(service: Service, query: Query) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def get(request: Request) -> Response:
        given, wants_csv = _read(query, request)
        found = await in_time(service, given.wait_ms, partial(ask, service.queries, service.ledger, query, given))
        if found is None:
            return answer(Refusal("not_found", f"There is nothing at {request.scope['path']}."))
        return _csv(query, found) if wants_csv and found.items is not None else _json(found)

    return get


def _read(query: Query, request: Request) -> tuple[Parameters, bool]:
    """The parameters, and whether CSV is wanted. An unknown parameter is refused: it would silently not count."""
    texts: dict[str, Any] = {**request.query_params, **request.path_params}
    if with_nul := [name for name, text in texts.items() if "\0" in text]:
        raise Refusal("invalid", f"{with_nul[0]}: no text has a NUL", field=with_nul[0])
    format = texts.pop("format", None)
    if format not in (None, "json", "csv"):
        raise Refusal("invalid", "format: json or csv", field="format")
    if format == "csv" and query.assemble:
        raise Refusal("invalid", "format: this answer is no list, and comes as JSON alone", field="format")
    try:
        given = query.parameters.model_validate(texts)
    except ValidationError as error:
        raise invalid(error) from error
    return given, format == "csv" or (format is None and "text/csv" in request.headers.get("accept", ""))


async def in_time(service: Service, wait_ms: int, ask: Callable[[], T]) -> T:
    """Read your writes: the answer as soon as there is one, or ``behind`` if there is none in time."""
    deadline = monotonic() + wait_ms / 1000
    while True:
        try:
            return await asyncio.to_thread(ask)
        except Refusal as refusal:
            if refusal.code != "behind" or monotonic() >= deadline:
                raise
        service.projecting.wake()
        await asyncio.sleep(0.005)


def _json(found: Answer) -> Response:
    body: Mapping[str, Any] = {**flat(found.body), "meta": found.meta}
    if found.items is not None:
        body = {"items": [flat(item) for item in found.items], "next": found.next, "meta": found.meta}
    return Response(dumps(body), media_type="application/json")


def _csv(query: Query, found: Answer) -> Response:
    headers = {f"Grossbuch-{name.replace('_', '-')}": csv_cell(value) for name, value in found.meta.items()}
    if found.next:
        headers["Grossbuch-next"] = found.next
    rows = [flat(item) for item in found.items or ()]
    return Response(to_csv(list(query.row.model_fields), rows), 200, headers, media_type="text/csv; charset=utf-8")
