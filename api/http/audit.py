"""What auditors read: the records themselves, and how far each projection is."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.links import to_next
from api.http.patience import in_turn
from api.http.spool import whole
from api.openapi.problems import problems
from api.rendering import line
from api.service import Service
from domain.values import Id, Plain


class Wanted(BaseModel):
    """Which records. An unknown filter is refused: it would silently not count."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=2**62)] = 0
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    stream: Annotated[Plain, Field(max_length=200)] | None = None
    type: Id | None = None


def record(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored record as it is shown: payload and metadata as the JSON they are."""
    return {**row, "metadata": orjson.Fragment(row["metadata"]), "payload": orjson.Fragment(row["payload"])}


def mount(app: FastAPI, service: Service) -> None:

    @app.get(
        "/v1/audit/events",
        summary="The events, in order of position",
        responses=problems("malformed", "invalid", "too_slow", "busy", "unavailable"),
    )
    async def get_events(request: Request, given: Annotated[Wanted, Query()]) -> Response:
        """Records in order of position, with metadata; ``next`` is the ``after`` of the next page. A page ends at
        ``limit`` records, or earlier at some 4 MB."""
        return await in_turn(service, request, partial(_events, service, request, given))

    @app.get(
        "/v1/projections",
        summary="How far each projection is",
        responses=problems("malformed", "busy", "unavailable"),
    )
    def get_projections() -> Response:
        """How far each projection is behind the ledger, in events and seconds, or ahead of one that was set back; how
        many streams it could not take."""
        progress = [
            {
                "projection": each.projection,
                "version": each.version,
                "position": each.position,
                "behind_events": each.behind_events,
                "ahead_events": each.ahead_events,
                "behind_seconds": round(max(0.0, each.behind_seconds), 3),
                "quarantined": each.quarantined,
            }
            for each in service.queries.lags()
        ]
        return Response(line(progress), media_type="application/json")


def _events(service: Service, request: Request, given: Wanted) -> Response:
    with service.queries.moment() as answering:
        rows, more = answering.events(given.after, given.limit, given.stream, given.type)
        size = answering.log_size()
    next = rows[-1]["position"] if more or len(rows) == given.limit else None
    body = {"items": [record(row) for row in rows], "next": next, "meta": {"log_size": size}}
    return whole(line(body), "application/json", to_next(request, after=next))
