"""``grossbuch repartition``: moves the ledger's stream to a topic of another number of partitions."""

from contextlib import ExitStack
from typing import Annotated

import typer

from api.cli import options
from api.cli.terminal import progress, result, say
from api.projecting import topic_of
from api.relaying import make_relay
from api.service import Opening, database
from infra.health import Health
from infra.postgres import topics
from infra.postgres.connection import Pool
from infra.postgres.log import StoreLog


def repartition(
    partitions: Annotated[int, typer.Argument(min=1, max=1000, help="Of the new topic")],
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Fill a new topic from the book, then let relay and consumers go on with it. Nothing has to be stopped, and what
    was broken off goes on when it is called again."""
    settings = options.settings(data)
    if not settings.kafka_bootstrap:
        raise typer.BadParameter("set KAFKA_BOOTSTRAP to the broker's host:port")
    with ExitStack() as stack:
        pool = stack.enter_context(Pool(stack.enter_context(database(settings, say, Opening.FIND)), size=2))
        old = topic_of(settings, pool)
        new = topics.spread(old, partitions)
        if old.partitions == partitions:
            raise typer.BadParameter(f"{old.name} has {partitions} partitions already")
        size = StoreLog(pool).end()
        with progress(f"Filling {new.name}", size, shown=not as_json) as advance:
            make_relay(settings, pool, Health(), new).fill(advance)
        topics.switch(pool, new)
    say(f"{new.name} carries the ledger now; {old.name} is not needed once relay and consumers have left it.")
    if as_json:
        result({"topic": new.name, "partitions": partitions, "before": old.name})
