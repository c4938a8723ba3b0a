"""``grossbuch relay``: carries the ledger's events to Kafka."""

import signal
from contextlib import ExitStack

import typer

from api.cli import options
from api.cli.terminal import say
from api.collector import tune_collector
from api.relaying import make_relay
from api.service import Opening, database
from infra.health import Health
from infra.postgres.connection import Pool


def relay(data: options.Data = None, metrics_port: options.MetricsPort = None) -> None:
    """Publish every event, until interrupted. One relay works, any others stand by."""
    settings = options.settings(data, metrics_port=metrics_port)
    if not settings.kafka_bootstrap:
        raise typer.BadParameter("set KAFKA_BOOTSTRAP to the broker's host:port")
    with ExitStack() as stack:
        found = stack.enter_context(database(settings, say, Opening.FIND))
        made = make_relay(settings, stack.enter_context(Pool(found, size=2)), Health())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: made.stop())
        options.show_metrics(settings)
        say(f"Relaying the ledger {settings.ledger} to {settings.kafka_bootstrap}.")
        tune_collector()
        made.run()
