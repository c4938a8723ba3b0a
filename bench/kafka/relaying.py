"""The relay, from the book to the topic, against kafka-python's bare transactional producer: that has the same
messages in memory, made beforehand, and sends as many in a transaction.
"""

from collections.abc import Iterator
from itertools import count
from time import perf_counter

from api.relaying import make_relay
from bench.kafka import bare, java
from bench.kafka.stage import PARTITIONS, Book, Stage
from bench.measure import Row, versus
from consumers.ports import Topic
from consumers.relay import BATCH
from infra.health import Health
from infra.postgres.connection import Pool
from infra.postgres.log import StoreLog

_numbers = count(1)


def rows(on: Stage, book: Book, repeats: int) -> Iterator[Row]:
    with Pool(book.database) as pool:
        sent = bare.messages(StoreLog(pool), book.size)

        def bare_producer() -> float:
            return bare.produced(on, sent)

        measured = "relayed events/s, against kafka-python's bare transactional producer with the same messages"
        yield versus(measured, lambda: _relayed(on, book, pool), bare_producer, goal="0.8", repeats=repeats)
        measured = "that producer's messages/s, against Java's ProducerPerformance, transactional, messages as large"
        size = bare.size(sent)
        yield versus(measured, bare_producer, lambda: java.produced(on, size), goal="stated", repeats=repeats)


def _relayed(on: Stage, book: Book, pool: Pool) -> float:
    """From the first transaction on, before which connections are made."""
    topic = Topic(f"relayed{next(_numbers)}", PARTITIONS)
    at: list[float] = []
    make_relay(on.settings(book.database.schema), pool, Health(), topic).fill(lambda _: at.append(perf_counter()))
    return (book.size - BATCH) / (at[-1] - at[0])
