"""``grossbuch serve``: commands and queries over HTTP; read models are kept up to date by ``consume``."""

import socket
from contextlib import suppress
from typing import Annotated

import typer

from api.checking import patrolling
from api.cli import options
from api.cli.terminal import say
from api.collector import tune_collector
from api.http.app import create_app
from api.http.limits import Limits
from api.http.server import Server
from api.service import Opening, Service, open_service

Host = Annotated[str | None, typer.Option(help="Address to listen on", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="0: any free one", show_default="8420")]


def serve(data: options.Data = None, host: Host = None, port: Port = None) -> None:
    """Take commands and answer queries, beside as many others as you like. Projecting is for `consume`."""
    settings = options.settings(data, host=host, port=port)
    with open_service(settings, say, opening=Opening.UPDATE) as service, patrolling(settings, service.pool.database):
        listen(service)


def listen(service: Service) -> None:
    """Until interrupted. Requests at hand are finished, then the database is let go."""
    settings = service.settings
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise OSError(f"{settings.host}:{settings.port}: {error.strerror}") from error
        address = f"http://{settings.host}:{listener.getsockname()[1]}"
        say(f"Grossbuch listens on {address} - try {address}/docs and {address}/v1/clients. Ctrl-C stops it.")
        server = Server(create_app(service), Limits(settings.max_connections, settings.max_pending_bytes))
        tune_collector()
        with suppress(KeyboardInterrupt, SystemExit):  # asked to stop, it has stopped
            server.run(sockets=[listener])
