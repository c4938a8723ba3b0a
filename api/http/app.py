"""The FastAPI application over an open service."""

from fastapi import FastAPI

from api.http import audit, commands, health, problems, queries
from api.openapi import DESCRIPTION, TITLE, VERSION, document
from api.service import Service


def create_app(service: Service) -> FastAPI:
    app = FastAPI(title=TITLE, version=VERSION, description=DESCRIPTION)
    for room in (commands, queries, audit, health):
        room.mount(app, service)
    problems.install(app)
    app.openapi = lambda: document(app.routes)  # type: ignore[method-assign]
    return app
