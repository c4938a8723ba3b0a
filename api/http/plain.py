"""A route whose endpoint takes the request as it is: FastAPI documents it, and resolves nothing for it.

Resolving parameters, bodies and exit stacks costs as much as deciding a command (bench/http.py).
"""

from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import Receive, Scope, Send


class PlainRoute(APIRoute):
    """What the endpoint raises is answered by the application's handlers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)
