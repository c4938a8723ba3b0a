"""The HTTP server: uvicorn's, which looks after its connections."""

import asyncio
import socket

import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from api.collector import Growth
from api.http.limits import Limits
from api.http.protocol import Protocol

LOOK_EVERY_S = 0.25
QUIET_BYTES = 1_000_000


class Callers(ServerState):
    """All connections, and what they make the server keep."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.most = limits.within_descriptors()
        self.pending = 0


class Server(uvicorn.Server):
    def __init__(self, app: FastAPI, limits: Limits) -> None:
        super().__init__(
            uvicorn.Config(app, http=Protocol, ws="none", access_log=False, log_level="warning", lifespan="off")
        )
        self.server_state: Callers = Callers(limits)
        self._growth = Growth()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._look(asyncio.get_running_loop())

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Until the loop ends: those who are slow to send do not hold up a stop, either."""
        self._growth.look(quiet=self.server_state.pending < QUIET_BYTES)
        loop.call_later(LOOK_EVERY_S, self._look, loop)
        now = loop.time()
        for connection in tuple(self.server_state.connections):
            connection.look(now)  # type: ignore[union-attr]
