"""The command line, one module a command.

Exit status: 0 done, 1 failed, 2 wrong use, 3 a check found a difference.
"""

import signal
import sys

import psycopg2
import typer
from kafka.errors import KafkaError

from api.cli import (
    check,
    consume,
    demo,
    diff,
    explain,
    exporting,
    generations,
    importing,
    months,
    quarantine,
    rebuild,
    relay,
    repartition,
    serve,
    up,
)
from api.rebuilding import WorkerDied
from commands.ports import Unavailable
from consumers.ports import PublisherLost
from consumers.relay import Broken, Misplaced
from domain.refusal import Refusal
from infra.embedded.server import EmbeddedError
from infra.kafka.topic import TopicUnfit
from infra.postgres.generations import Dropped, LookedAt
from infra.postgres.migrate import MigrationError
from infra.postgres.one_rebuild import BeingRebuilt
from infra.sources.source import SourceMissing

app = typer.Typer(
    name="grossbuch",
    help="The book of record for customers, stock and money.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("up")(up.up)
app.command("serve")(serve.serve)
app.command("relay")(relay.relay)
app.command("consume")(consume.consume)
app.command("import")(importing.import_)
app.command("export")(exporting.export)
app.command("demo")(demo.demo)
app.command("rebuild")(rebuild.rebuild)
app.command("check")(check.check)
app.command("diff")(diff.diff)
app.command("explain")(explain.explain)
app.command("repartition")(repartition.repartition)
app.add_typer(generations.app, name="generations")
app.add_typer(months.app, name="months")
app.add_typer(quarantine.app, name="quarantine")

EXPECTED = (
    EmbeddedError,
    MigrationError,
    SourceMissing,
    Refusal,
    Unavailable,
    Misplaced,
    Broken,
    TopicUnfit,
    PublisherLost,
    WorkerDied,
    BeingRebuilt,
    Dropped,
    LookedAt,
    KafkaError,
    psycopg2.OperationalError,
    OSError,
)


def main() -> None:
    """What went wrong is told in one line; a stack trace is for what nobody expected."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except EXPECTED as error:
        typer.echo(f"grossbuch: {' '.join(str(error).split())}", err=True)
        sys.exit(1)


def _terminated(number: int, _: object) -> None:
    """As Ctrl-C does: on the way out the embedded database is let go."""
    sys.exit(128 + number)
