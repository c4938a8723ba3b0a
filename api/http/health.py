"""Whether the process lives, whether it takes commands and queries, and its figures."""

from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from api.http.problems import answer
from api.openapi.problems import problems
from api.rendering import line
from api.service import Service
from domain.refusal import Refusal
from infra.postgres.condition import condition
from infra.postgres.session import SetBack

READY_WITHIN_S = 2.0
"""Whoever asks whether we are ready does not wait for long."""


class ProjectionFigures:
    """Collected when asked for: how far each projection is behind."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> list[GaugeMetricFamily]:
        behind = GaugeMetricFamily(
            "grossbuch_projection_behind_events", "Events not yet projected", labels=["projection"]
        )
        ahead = GaugeMetricFamily(
            "grossbuch_projection_ahead_events", "Events projected that the book does not have", labels=["projection"]
        )
        seconds = GaugeMetricFamily(
            "grossbuch_projection_behind_seconds", "Age of the oldest such", labels=["projection"]
        )
        parked = GaugeMetricFamily(
            "grossbuch_projection_quarantined", "Streams that could not be taken", labels=["projection"]
        )
        size = GaugeMetricFamily("grossbuch_log_size", "Position of the last event")
        size.add_metric([], self._service.queries.log_size())
        for each in self._service.queries.lags():
            behind.add_metric([each.projection], each.behind_events)
            ahead.add_metric([each.projection], each.ahead_events)
            seconds.add_metric([each.projection], max(0.0, each.behind_seconds))
            parked.add_metric([each.projection], each.quarantined)
        return [behind, ahead, seconds, parked, size]


class DatabaseFigures:
    """Of the server that keeps the ledger."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> list[GaugeMetricFamily]:
        found = condition(self._service.pool.database)
        oldest = GaugeMetricFamily(
            "grossbuch_oldest_transaction_seconds", "Age of the oldest transaction in the database"
        )
        oldest.add_metric([], found.oldest_transaction_seconds)
        unsafe = GaugeMetricFamily("grossbuch_database_unsafe", "Settings that may lose what is booked", labels=["off"])
        for name in found.unsafe:
            unsafe.add_metric([name], 1)
        return [oldest, unsafe]


def mount(app: FastAPI, service: Service) -> None:
    told: list[SetBack] = []
    figures = CollectorRegistry()
    figures.register(ProjectionFigures(service))
    figures.register(DatabaseFigures(service))

    @app.get("/v1/health/live", summary="Whether the process lives", responses=problems("malformed"))
    async def live() -> Response:
        return Response(line({"status": "alive"}), media_type="application/json")

    @app.get(
        "/v1/health/ready",
        summary="Whether commands and queries are taken",
        responses=problems("malformed", "busy", "halted", "set_back", "unavailable"),
    )
    def ready() -> Response:
        """200 when commands and queries are taken, and none of this process's work has halted: what a command needs is
        tried, and nothing changed by it."""
        service.store.probe(min(READY_WITHIN_S, service.settings.patience_s))
        service.queries.lags()
        if ailing := service.health.ailing:
            said = "; ".join(f"{work}: {cause}" for work, cause in ailing.items())
            raise Refusal("halted", f"Some work of this process has halted. {said}", work=sorted(ailing))
        if (set_back := service.store.set_back) and set_back not in told:
            told.append(set_back)
            return answer(Refusal("set_back", f"The book was set back: {set_back.reason}."))
        body = {"status": "ready", "set_back": [each.reason for each in told]}
        return Response(line(body), media_type="application/json")

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(REGISTRY) + generate_latest(figures), media_type=CONTENT_TYPE_LATEST)
