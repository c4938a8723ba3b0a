"""The stream: relay, consumers, the time from a command to the read model, and memory; beside kafka-python alone, the
store's own feed and Java's programs, on the same server and broker.
"""

from collections.abc import Iterator

from api.collector import tune_collector
from bench.kafka import consuming, latency, memory, relaying
from bench.kafka.stage import Stage, make_book, stage
from bench.measure import Row

EVENTS = 100_000


def main(events: int = EVENTS, seconds: int = latency.SECONDS, many: int = memory.MANY, repeats: int = 5) -> list[Row]:
    tune_collector()  # as relay and consumers do
    with stage() as on:
        return list(_rows(on, events, seconds, many, repeats))


def _rows(on: Stage, events: int, seconds: int, many: int, repeats: int) -> Iterator[Row]:
    book = make_book(on, "bench_stream", events)
    yield from relaying.rows(on, book, repeats)
    yield from consuming.rows(on, book, repeats)
    yield from latency.rows(on, seconds, repeats)
    yield from memory.rows(on, many, repeats)
