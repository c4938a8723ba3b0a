"""The FastAPI application over an open service."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.http import audit, commands, health, problems, queries
from api.openapi import components
from api.service import Service
from projections import QUERIES

DESCRIPTION = """The book of record for customers, stock and money: every change is one immutable event.

Services send commands, analysts query projections, auditors read the events themselves."""


def create_app(service: Service) -> FastAPI:
    app = FastAPI(title="Grossbuch", version="0.1.0", description=DESCRIPTION)
    for room in (commands, queries, audit, health):
        room.mount(app, service)
    problems.install(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if not app.openapi_schema:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        document.setdefault("components", {}).setdefault("schemas", {}).update(components(QUERIES))
        app.openapi_schema = document
    return app.openapi_schema
