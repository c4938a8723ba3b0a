"""A question that a read model of another release does not understand: for a while two releases serve one ledger."""

import asyncio

import psycopg2
from fastapi import FastAPI, Request
from fastapi.responses import Response

from api.http.problems import answer
from api.service import Service
from domain.refusal import Refusal
from infra.postgres.generations import Apart, apart
from projections import PROJECTIONS


def install(app: FastAPI, service: Service) -> None:
    @app.exception_handler(psycopg2.ProgrammingError)
    async def not_understood(_: Request, error: psycopg2.ProgrammingError) -> Response:
        found = await asyncio.to_thread(apart, service.pool, PROJECTIONS)
        if not any(found):
            raise error
        return answer(_refusal(found))


def _refusal(found: Apart) -> Refusal:
    if found.later:
        said = f"A later release has taken over {', '.join(found.later)}: ask a server of that one."
        return Refusal("superseded", said, projections=list(found.later))
    said = f"This release does not yet have its own {', '.join(found.earlier)}: they are being filled."
    return Refusal("behind", said, projections=list(found.earlier))
