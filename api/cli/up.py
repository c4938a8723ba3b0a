"""``grossbuch up``: everything in one process, on an embedded PostgreSQL unless DATABASE_URL says otherwise."""

import socket
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn

from api.cli import options
from api.cli.terminal import say
from api.collector import tune_collector
from api.http.app import create_app
from api.service import Service, open_service


def up(
    data: options.Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0: any free one", show_default="8420")] = None,
) -> None:
    """Start everything in one process and stay."""
    settings = options.settings(data, host=host, port=port)
    with open_service(settings, say) as service:
        serve(service)


def serve(service: Service) -> None:
    """Until interrupted. Requests at hand are finished, then the database is let go."""
    settings = service.settings
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise OSError(f"{settings.host}:{settings.port}: {error.strerror}") from error
        service.runner.start()
        address = f"http://{settings.host}:{listener.getsockname()[1]}"
        say(f"Grossbuch listens on {address} - try {address}/docs and {address}/v1/clients. Ctrl-C stops it.")
        config = uvicorn.Config(create_app(service), access_log=False, log_level="warning", lifespan="off")
        tune_collector()
        with suppress(KeyboardInterrupt, SystemExit):  # asked to stop, it has stopped
            uvicorn.Server(config).run(sockets=[listener])
