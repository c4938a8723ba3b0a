"""HTTP commands a second, with a real rule and durable, against an empty endpoint that validates the same body.

Each side is a process of its own behind our server; the load is 64 connections of one client process, alternating.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter
from typing import cast
from uuid import uuid4

import orjson
import uvloop

from bench.measure import Row, server, versus

CONNECTIONS = 64
REQUESTS = 6_000
HEAD = b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
WAREHOUSE = {"type": "warehouse.register", "warehouse": "W", "name": "W", "negative_stock": "forbid"}
PRODUCT = {"name": "P", "unit": "pcs", "scale": 0, "costing": "fifo"}


def main() -> list[Row]:
    with server() as dsn, _serving("ours", dsn) as ours, _serving("empty", dsn) as empty:
        for port in (ours, empty):
            _load(port, 500)
        measured = f"HTTP commands/s, {CONNECTIONS} connections, against an empty endpoint validating the same body"
        return [versus(measured, lambda: _load(ours), lambda: _load(empty), goal="0.6")]


def _load(port: int, requests: int = REQUESTS) -> float:
    """Receives a little stock, over and over: the rule loads product, warehouse and stock item."""
    started = perf_counter()
    uvloop.run(_clients(port, requests))
    return requests / (perf_counter() - started)


async def _clients(port: int, requests: int) -> None:
    loop = asyncio.get_running_loop()
    bodies = [[_body(number) for _ in range(requests // CONNECTIONS)] for number in range(CONNECTIONS)]
    clients = []
    for each in bodies:
        _, client = await loop.create_connection(partial(Client, each, loop.create_future()), "127.0.0.1", port)
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))


class Client(asyncio.Protocol):
    """Sends the next request when the last one is answered. Lean, so that two cores measure the server."""

    def __init__(self, bodies: list[bytes], done: asyncio.Future[None]) -> None:
        self._requests = iter([HEAD % len(body) + body for body in bodies])
        self.done = done
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no heir of it
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, _, body = self._answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if length and len(body) >= int(length):
            assert head[9:11] == b"20", self._answer
            self._answer = b""
            self._next()

    def _next(self) -> None:
        if request := next(self._requests, None):
            self._transport.write(request)
        else:
            self._transport.close()
            self.done.set_result(None)


def _body(number: int) -> bytes:
    command = {"type": "stock.receive", "product": f"P{number}", "warehouse": "W", "quantity": "3"}
    return orjson.dumps({**command, "unit_cost": "2.50", "currency": "EUR", "command_id": str(uuid4())})


@contextmanager
def _serving(side: str, dsn: str) -> Iterator[int]:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(side, dsn, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def _serve(side: str, dsn: str, there: Connection) -> None:
    import socket

    from fastapi import FastAPI
    from pydantic import ConfigDict

    from api.collector import tune_collector
    from api.http.app import create_app
    from api.http.limits import Limits
    from api.http.server import Server
    from api.service import open_service
    from commands.command import parse
    from commands.stock import Receive
    from infra.settings import Settings

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: _leave_with(os.getppid()), daemon=True).start()

    def run(app: FastAPI) -> None:
        tune_collector()
        there.send(listener.getsockname()[1])
        Server(app, Limits()).run(sockets=[listener])

    if side == "empty":

        class Body(Receive):
            model_config = ConfigDict(extra="ignore")

        app = FastAPI()

        @app.post("/v1/commands", status_code=201)
        async def post(body: Body) -> dict[str, str]:
            return {"command_id": body.command_id or ""}

        run(app)
        return
    os.environ["DATABASE_URL"] = dsn
    with open_service(Settings(ledger="bench_http")) as service:
        products = [{"type": "product.register", "product": f"P{number}", **PRODUCT} for number in range(CONNECTIONS)]
        service.bus.execute([parse(command) for command in [WAREHOUSE, *products]])
        service.projecting.start()
        run(create_app(service))


def _leave_with(parent: int) -> None:
    import time

    while os.getppid() == parent:
        time.sleep(1)
    sys.exit()


if __name__ == "__main__":
    print(*main(), sep="\n")
