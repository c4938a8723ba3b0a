"""From a command's answer to the moment when its event is in the read model, through relay, topic and consumer, each a
process of its own; against kafka-python's bare transactional producer and read committed consumer at the same rate.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.connection import Connection
from random import Random
from statistics import quantiles
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any, NamedTuple

from kafka import KafkaProducer

from api.service import Service, open_service
from bench.kafka import bare
from bench.kafka.stage import PARTITIONS, STOCK, WAREHOUSES, Stage, until
from bench.measure import Row, spread
from commands.bus import Accepted
from commands.command import parse
from infra.kafka.connection import connection
from infra.partitions import partition_of
from infra.postgres.log import StoreLog
from infra.postgres.read_models import PostgresReadModels

LEDGER = "bench_latency"
RATE, SECONDS = 500, 20
CALLERS, PRODUCTS = 8, 1_000
LOOK = 0.002
"""Seconds between two looks at the read model: whatever is seen late is counted as late."""


class Percentiles(NamedTuple):
    """In milliseconds, at so many a second as were really made."""

    p50: float
    p99: float
    rate: float

    @classmethod
    def of(cls, seconds: Sequence[float], rate: float) -> "Percentiles":
        cuts = quantiles(seconds, n=100)
        return cls(cuts[49] * 1000, cuts[98] * 1000, rate)


def rows(on: Stage, seconds: int, repeats: int) -> Iterator[Row]:
    with open_service(on.settings(LEDGER)) as service:
        _register(service)
        pairs = []
        with on.process(LEDGER, "relay"), on.process(LEDGER, "consume", STOCK.name):
            _ours(service, 2)  # until all have connected
            for _ in range(repeats):
                pairs.append((_ours(service, seconds), _bare(on, service, seconds)))
                print(f"  latency: {pairs[-1]}", flush=True)
    rate = min(each.rate for pair in pairs for each in pair)
    for name in ("p50", "p99"):
        ours, bare = ([getattr(pair[side], name) for pair in pairs] for side in (0, 1))
        ratios = [a / b for a, b in zip(ours, bare, strict=True)]
        measured = f"{rate:.0f} commands/s: answer to read model, {name} in ms, against bare produce to consume"
        goal = "at most 5" if name == "p99" else "stated"
        yield Row(measured, spread(ours, ".1f"), spread(bare, ".1f"), spread(ratios, ".2f"), goal)


def _register(service: Service) -> None:
    products = [
        {"product": f"P{n}", "name": "P", "unit": "pcs", "scale": 0, "costing": "fifo"} for n in range(PRODUCTS)
    ]
    warehouses = [{"warehouse": f"W{n}", "name": "W", "negative_stock": "forbid"} for n in range(WAREHOUSES)]
    service.bus.execute([parse({"type": "product.register", **each}) for each in products])
    service.bus.execute([parse({"type": "warehouse.register", **each}) for each in warehouses])


def _ours(service: Service, seconds: int) -> Percentiles:
    with closing(PostgresReadModels(service.pool.database)) as read_models:

        def places() -> dict[int, int]:
            return {partition: place.position for partition, place in read_models.places(STOCK, PARTITIONS).items()}

        until(lambda: min(places().values()) == service.queries.log_size())
        seen: list[tuple[float, dict[int, int]]] = []
        over = Event()

        def look() -> None:
            while not over.is_set():
                seen.append((monotonic(), places()))
                sleep(LOOK)

        looking = Thread(target=look)
        looking.start()
        accepted = _trade(service, seconds)
        last = max(position for _, position, _ in accepted)
        until(lambda: min(seen[-1][1].values()) >= last)
        over.set()
        looking.join()
    return Percentiles.of(list(_waits(accepted, seen)), _rate(answered for answered, _, _ in accepted))


Answer = tuple[float, int, int]
"""When it was given, the event's position, and its partition."""


def _rate(moments: Iterable[float]) -> float:
    ordered = sorted(moments)
    return len(ordered) / (ordered[-1] - ordered[0])


def _trade(service: Service, seconds: int) -> list[Answer]:
    random = Random()
    begun = monotonic() + 0.5

    def execute(number: int) -> Answer:
        product, warehouse = f"P{random.randrange(PRODUCTS)}", f"W{random.randrange(WAREHOUSES)}"
        fields = {"product": product, "warehouse": warehouse, "quantity": 1, "cost": 1, "currency": "EUR"}
        command = parse({"type": "stock.receive", **fields})
        sleep(max(0, begun + number / RATE - monotonic()))
        [outcome] = service.bus.execute([command])
        assert isinstance(outcome, Accepted), outcome
        assert outcome.position
        return monotonic(), outcome.position, partition_of(f"product-{product}", PARTITIONS)

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(execute, range(RATE * seconds)))


def _waits(accepted: Sequence[Answer], seen: Sequence[tuple[float, dict[int, int]]]) -> Iterator[float]:
    """Both in order of time."""
    for partition in range(PARTITIONS):
        looks = iter(seen)
        time, places = next(looks)
        for answered, position, _ in sorted((each for each in accepted if each[2] == partition), key=lambda a: a[1]):
            while places[partition] < position:
                time, places = next(looks)
            yield max(0, time - answered)


def _bare(on: Stage, service: Service, seconds: int) -> Percentiles:
    sent = bare.messages(StoreLog(service.pool), RATE * seconds)
    topic = bare.new_topic(on)
    context = get_context("spawn")
    here, there = context.Pipe()
    options = connection(on.broker.settings)
    consumer = context.Process(target=_consume, args=(options, topic, len(sent), there), daemon=True)
    consumer.start()
    producer = bare.open_producer(on, topic)
    here.recv()
    due = _produce(producer, topic, sent)
    received: dict[bytes, float] = here.recv()
    consumer.join()
    producer.close()
    return Percentiles.of([received[id] - at for id, at in due.items()], _rate(received.values()))


def _produce(producer: KafkaProducer, topic: str, sent: Sequence[bare.Message]) -> dict[bytes, float]:
    """When each message was due. Whatever is due goes into the next transaction."""
    begun = monotonic() + 0.5
    due = {_id(message["headers"]): begun + number / RATE for number, message in enumerate(sent)}
    done = 0
    while done < len(sent):
        sleep(max(0, begun + done / RATE - monotonic()))
        upto = min(len(sent), int((monotonic() - begun) * RATE) + 1)
        bare.transact(producer, topic, sent[done:upto])
        done = upto
    return due


def _consume(options: Mapping[str, Any], topic: str, number: int, there: Connection) -> None:
    """Tells when each message came."""
    consumer = bare.open_consumer(options, topic)
    consumer.poll(timeout_ms=500)
    there.send(None)
    received: dict[bytes, float] = {}
    while len(received) < number:
        for found in consumer.poll(timeout_ms=500).values():
            now = monotonic()
            received.update((_id(message.headers), now) for message in found)
    there.send(received)
    consumer.close()


def _id(headers: Sequence[tuple[str, bytes]]) -> bytes:
    return dict(headers)["ce_id"]
