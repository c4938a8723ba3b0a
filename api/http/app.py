"""The FastAPI application over an open service."""

from functools import cache

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline

from api import asyncapi
from api.http import audit, batches, commands, explain, health, problems, queries, superseded
from api.http.head import HeadAsGet
from api.openapi import DESCRIPTION, TITLE, VERSION, document
from api.service import Service


def create_app(service: Service) -> FastAPI:
    app = FastAPIOffline(title=TITLE, version=VERSION, description=DESCRIPTION, redoc_url=None, redirect_slashes=False)
    # The first path that fits is taken, so /v1/commands/batch comes before /v1/commands/{type}.
    for room in (batches, commands, queries, audit, explain, health):
        room.mount(app, service)
    app.add_middleware(HeadAsGet)
    problems.install(app)
    superseded.install(app, service)
    app.openapi = cache(lambda: document(app.routes))  # type: ignore[method-assign]
    app.add_api_route("/asyncapi.json", lambda: asyncapi.document(service.settings.ledger), include_in_schema=False)
    app.add_api_route("/", lambda: RedirectResponse("/docs"), include_in_schema=False)
    return app
