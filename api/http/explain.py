"""Asks a figure where it comes from: the events behind a cell of an answer, as JSON and CSV."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.explaining import Explained, Figure, explain, read_figure
from api.http.links import to_next
from api.http.patience import in_time
from api.http.problems import answer
from api.http.spool import whole
from api.openapi.problems import OF_QUERIES, problems
from api.openapi.queries import EXPLAINED
from api.rendering import CSV, csv_cell, csv_end, csv_headers, line, to_csv
from api.service import Service
from domain.refusal import Refusal
from domain.values import Plain
from projections.query import WAIT, Cursor


class Asked(BaseModel):
    """Which cell of which answer. An unknown parameter is refused: it would silently not count."""

    model_config = ConfigDict(extra="forbid")

    figure: Annotated[
        Plain,
        Field(
            max_length=4000,
            description="Path and parameters of a query, URL-encoded; what a row is of narrows a list to it",
            examples=["/v1/stock/balances?product=P1&warehouse=W1"],
        ),
    ]
    cell: Annotated[
        Plain,
        Field(max_length=1000, description="The figure's name in the answer", examples=["on_hand"]),
    ]
    cursor: Annotated[Cursor | None, Field(description="`next` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=100_000)] = 100
    min_position: Annotated[int | None, Field(ge=0, le=2**62, description="Wait until this position is seen")] = None
    wait_ms: Annotated[int | None, Field(ge=0, le=30_000, description=WAIT)] = None
    format: Literal["json", "csv"] | None = None


def mount(app: FastAPI, service: Service) -> None:

    @app.get(
        "/v1/audit/explain",
        summary="The events behind a figure",
        responses={200: EXPLAINED, **problems("not_found", *OF_QUERIES)},
    )
    async def get_explanation(request: Request, asked: Annotated[Asked, Query()]) -> Response:
        """The events behind a figure, each with what it contributed. Contributions of a sum add up to its value."""
        figure = read_figure(asked.figure)
        told = {"min_position": asked.min_position, "wait_ms": asked.wait_ms}
        wanted = {name: value for name, value in told.items() if value is not None}
        figure = replace(figure, given=figure.given.model_copy(update=wanted))
        wants_csv = asked.format == "csv" or (not asked.format and "text/csv" in request.headers.get("accept", ""))
        respond = partial(_explanation, service, request, figure, asked, _csv if wants_csv else _json)
        found = await in_time(service, request, figure.query.projection, figure.given, respond)
        return found or answer(Refusal("not_found", f"There is nothing at {asked.figure}."))


def _explanation(
    service: Service, request: Request, figure: Figure, asked: Asked, form: Callable[[Request, Explained], Response]
) -> Response | None:
    found = explain(service.queries, service.ledger, figure, asked.cell, asked.cursor, asked.limit)
    return form(request, found) if found else None


def _json(request: Request, found: Explained) -> Response:
    return whole(line(found.body), "application/json", to_next(request, cursor=found.next))


def _csv(request: Request, found: Explained) -> Response:
    headers = {**csv_headers(found.meta, found.next), **to_next(request, cursor=found.next)}
    if found.is_number:
        headers["Grossbuch-value"] = csv_cell(found.value)
    return whole((to_csv(found.columns, found.items) + csv_end(found.next)).encode(), CSV, headers)
