"""A route whose endpoint takes the request as it is: FastAPI documents it, and resolves nothing for it.

Resolving parameters, bodies and exit stacks costs as much as deciding a command (bench/http.py).
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.requests import Request


class PlainRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint
