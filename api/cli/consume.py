"""``grossbuch consume``: keeps read models up to date, from Kafka if there is a broker, else from the store."""

from contextlib import suppress
from threading import Event

from api.cli import options
from api.cli.terminal import say
from api.collector import tune_collector
from api.service import Opening, open_service

FEW = 2
"""Connections beside those of the read models: to ask which topic it is."""


def consume(
    names: options.Names = None,
    data: options.Data = None,
    metrics_port: options.MetricsPort = None,
) -> None:
    """Project until interrupted, beside as many others as you like: they share the partitions. All projections, or
    those that are named."""
    settings = options.settings(data, metrics_port=metrics_port).model_copy(update={"connections": FEW})
    chosen = options.projections(names)
    with open_service(settings, say, chosen, Opening.FIND) as service:
        options.show_metrics(settings)
        tune_collector()
        service.projecting.start()
        say(f"Projecting {', '.join(each.name for each in chosen)} from {settings.kafka_bootstrap or 'the store'}.")
        with suppress(KeyboardInterrupt, SystemExit):  # asked to stop, it finishes its batch
            Event().wait()
