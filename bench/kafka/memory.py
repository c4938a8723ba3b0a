"""Resident memory of relay and consumer, each a process of its own, after a few and after many events; and how fast so
many are read by who does nothing else."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

from bench.kafka import bare, java
from bench.kafka.stage import STOCK, Stage, make_book, resident, until
from bench.measure import Row, versus
from infra.postgres.read_models import PostgresReadModels

LEDGER = "bench_memory"
FEW, MANY = 10_000, 1_000_000


def rows(on: Stage, many: int, repeats: int) -> Iterator[Row]:
    book = make_book(on, LEDGER, FEW, products=many // 100)
    with (
        closing(PostgresReadModels(book.database)) as read_models,
        on.process(LEDGER, "relay") as relay,
        on.process(LEDGER, "consume", STOCK.name) as consumer,
    ):

        def caught_up() -> dict[str, float]:
            until(lambda: read_models.position(STOCK) == book.size, pause=0.5)
            return {"relay": resident(relay.pid), "consumer": resident(consumer.pid)}

        few = caught_up()
        book.fill(many)
        for name, megabytes in caught_up().items():
            measured = f"memory of the {name} after {many:,} events, against after {FEW:,}"
            ratio = f"{megabytes / few[name]:.2f}"
            print(f"  {measured}: {ratio}", flush=True)
            yield Row(measured, f"{megabytes:.0f} MB", f"{few[name]:.0f} MB", ratio, "at most 1.1")
    measured = "kafka-python's messages/s, read committed, against Java's ConsumerPerformance"
    sides = (partial(side, on, f"{LEDGER}.events", many) for side in (bare.consumed, java.consumed))
    yield versus(measured, *sides, goal="stated", repeats=repeats)
