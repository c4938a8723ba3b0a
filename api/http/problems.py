"""Errors as RFC 9457 problem+json, with a stable code and the facts in fields. No stack trace ever goes out."""

import errno
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.codes import status_of
from api.refusing import invalid
from api.rendering import line
from commands.ports import Unavailable
from domain.refusal import Refusal
from infra.postgres.connection import LOST

log = structlog.get_logger(__name__)

_CODES = {400: "malformed", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "malformed"}


def problem(refusal: Refusal) -> dict[str, Any]:
    """docs/reference/errors.md says what each code means and what to do about it."""
    return {
        "type": f"urn:grossbuch:problem:{refusal.code}",
        "title": refusal.code.replace("_", " "),
        "status": status_of(refusal.code),
        "code": refusal.code,
        "detail": refusal.message,
        **refusal.facts,
    }


def answer(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    headers = dict(headers or {})
    if (status := status_of(refusal.code)) == 503:
        headers["Retry-After"] = "1"
    return Response(line(problem(refusal)), status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    async def refused(_: Request, error: Refusal) -> Response:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def not_valid(_: Request, error: RequestValidationError) -> Response:
        return answer(invalid(error))

    @app.exception_handler(Unavailable)
    async def unavailable(_: Request, error: Unavailable) -> Response:
        return answer(Refusal("unavailable", str(error)))

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> Response:
        code = _CODES.get(error.status_code, "error")
        body = {"type": f"urn:grossbuch:problem:{code}", "title": code.replace("_", " "), "status": error.status_code}
        body |= {"code": code, "detail": str(error.detail)}
        return Response(line(body), error.status_code, error.headers, media_type="application/problem+json")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("request failed", path=request.scope["path"], exc_info=error)
        body = {"type": "urn:grossbuch:problem:internal", "title": "internal error", "status": 500, "code": "internal"}
        body["detail"] = (
            "Something went wrong here. Nothing is known to have been changed; repeat with the same command_id."
        )
        return Response(line(body), 500, media_type="application/problem+json")

    app.add_exception_handler(ClientDisconnect, _gone)  # type: ignore[arg-type]
    app.add_exception_handler(OSError, _out_of_descriptors)  # type: ignore[arg-type]
    for lost in LOST:
        app.add_exception_handler(lost, _database_lost)


async def _gone(request: Request, _: ClientDisconnect) -> None:
    log.debug("caller gone", path=request.scope["path"])


async def _out_of_descriptors(_: Request, error: OSError) -> Response:
    if error.errno not in (errno.EMFILE, errno.ENFILE):
        raise error
    log.warning("no descriptors left", error=str(error))
    return answer(Refusal("unavailable", "There are too many open files."))


async def _database_lost(_: Request, error: Exception) -> Response:
    log.warning("database lost", error=str(error).strip())
    return answer(Refusal("unavailable", "The database cannot be reached."))
