"""Mounts the projections' queries: one route each, with as_of, known_at, min_position, JSON and CSV."""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.http.links import to_next
from api.http.patience import in_time
from api.http.plain import PlainRoute
from api.http.problems import answer
from api.http.spool import Spool, whole
from api.openapi.queries import query_parameters, query_responses
from api.querying import ask, listing
from api.refusing import invalid
from api.rendering import CSV, csv_end, csv_headers, dumps, flat, line, to_csv
from api.service import Service
from domain.refusal import Refusal
from infra.postgres.queries import PAGE_BYTES
from projections import QUERIES
from projections.query import ListParameters, Parameters, Query

ALL = 2**62

SHORT = 1_000
"""Rows up to which a page is read by one statement, which is the fastest."""


def mount(app: FastAPI, service: Service) -> None:
    for query in QUERIES:
        app.router.add_api_route(
            query.path,
            _endpoint(service, query),
            route_class_override=PlainRoute,
            name=query.title,
            summary=query.title,
            openapi_extra={"parameters": query_parameters(query), "responses": query_responses(query)},
        )


def _endpoint(service: Service, query: Query) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def get(request: Request) -> Response:
        given, wants_csv = _read(query, request)
        respond = partial(_respond, service, request, query, given, wants_csv)
        found = await in_time(service, request, query.projection, given, respond)
        return found or answer(Refusal("not_found", f"There is nothing at {request.scope['path']}."))

    return get


def _respond(service: Service, request: Request, query: Query, given: Parameters, wants_csv: bool) -> Response | None:
    if isinstance(given, ListParameters):
        if wants_csv:
            return _csv(service, request, query, given)
        if given.limit > SHORT:
            return _long(service, request, query, given)
    return _json(service, request, query, given)


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


def _json(service: Service, request: Request, query: Query, given: Parameters) -> Response | None:
    found = ask(service.queries, service.ledger, query, given)
    if found is None:
        return None
    body: Mapping[str, Any] = {**flat(found.body), "meta": found.meta}
    if found.items is not None:
        body = {"items": [flat(item) for item in found.items], "next": found.next, "meta": found.meta}
    return whole(line(body), "application/json", to_next(request, cursor=found.next))


def _long(service: Service, request: Request, query: Query, given: ListParameters) -> Response:
    """A page of many rows, of which only a few are at hand at once."""
    with listing(service.queries, service.ledger, query, given, PAGE_BYTES) as found:
        spool, joint = Spool(), b'{"items":['
        for rows in found.pieces():
            for row in rows:
                spool.write(joint, dumps(flat(row)))
                joint = b","
    if joint != b",":
        spool.write(joint)
    spool.write(b'],"next":', dumps(found.next), b',"meta":', dumps(found.meta), b"}\n")
    return spool.response("application/json", to_next(request, cursor=found.next))


def _csv(service: Service, request: Request, query: Query, given: ListParameters) -> Response:
    """All of a list, unless a limit is given."""
    if "limit" not in given.model_fields_set:
        given = given.model_copy(update={"limit": ALL})
    columns = list(query.row.model_fields)
    with listing(service.queries, service.ledger, query, given, None) as found:
        spool = Spool()
        spool.write(to_csv(columns, ()).encode())
        for rows in found.pieces():
            spool.write(to_csv(columns, map(flat, rows), titled=False).encode())
        spool.write(csv_end(found.next).encode())
    return spool.response(CSV, {**csv_headers(found.meta, found.next), **to_next(request, cursor=found.next)})
