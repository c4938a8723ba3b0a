"""``python -m infra.kafka.local start | stop``: a broker of this machine that runs on in the background.

Done twice, each does nothing and says what is so.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.embedded.locks import exclusive
from infra.kafka.broker import Broker
from infra.kafka.java import BrokerError

HERE = Path(".kafka")
JVM = ("-Xmx512m",)

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
Directory = Annotated[Path, typer.Option(help="Where it keeps its log")]


@app.command()
def start(directory: Directory = HERE, port: int = 9092) -> None:
    """Make it if it is new, start it, wait until it answers, and tell how to find it."""
    directory.mkdir(parents=True, exist_ok=True)
    with exclusive(directory / "start.lock"):
        broker = Broker(directory, port, jvm=JVM, outlives=True)
        if running := broker.running_port:
            broker = Broker(directory, running)
            broker.wait_until_ready()
            typer.echo(f"A broker runs in {directory} already, on port {running}.")
        else:
            broker.start()
            typer.echo(f"A broker runs in {directory} now, on port {port}; stop it with `make kafka-stop`.")
    typer.echo(f"export KAFKA_BOOTSTRAP={broker.bootstrap}")


@app.command()
def stop(directory: Directory = HERE) -> None:
    """What it holds stays, for the next start; remove the directory to be rid of it."""
    broker = Broker(directory)
    if not broker.is_alive:
        typer.echo(f"No broker runs in {directory}.")
        return
    broker.stop()
    typer.echo(f"The broker in {directory} is stopped.")


if __name__ == "__main__":
    try:
        app()
    except BrokerError as error:
        typer.echo(f"kafka: {error}", err=True)
        sys.exit(1)
