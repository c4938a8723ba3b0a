"""Latency of appends and queries on a ledger of a million events against one of ten thousand, measured in turn."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import quantiles
from time import perf_counter
from typing import Any

from api.querying import ask
from api.service import Service, open_service
from bench.measure import Row, server, spread
from commands.command import parse
from infra.settings import Settings
from projections import QUERIES

SMALL, LARGE = 10_000, 1_000_000
ROUNDS, CALLS = 5, 300
START = datetime(2026, 1, 1, tzinfo=UTC)
Json = dict[str, Any]

QUESTIONS: tuple[tuple[str, Callable[[Random, int], Json]], ...] = (
    ("/v1/stock/balances", lambda random, size: {"product": f"P{random.randrange(size)}"}),
    ("/v1/stock/balances", lambda random, size: {"product": f"P{random.randrange(size)}", "as_of": "2026-02-10"}),
    ("/v1/receivables/ageing", lambda random, size: {"client": f"C{random.randrange(size)}"}),
    ("/v1/receivables/open-items", lambda random, size: {"client": f"C{random.randrange(size)}"}),
    ("/v1/clients/{client}", lambda random, size: {"client": f"C{random.randrange(size)}"}),
    ("/v1/clients/{client}/timeline", lambda random, size: {"client": f"C{random.randrange(size)}"}),
)


def main(large: int = LARGE) -> list[Row]:
    with server() as dsn, ExitStack() as stack:
        ledgers = [
            (size, stack.enter_context(open_service(Settings(DATABASE_URL=dsn, ledger=f"bench_growth_{size}"))))
            for size in (SMALL, large)
        ]
        for size, service in ledgers:
            _fill(service, size)
        sides = {size: _sides(service, size // 100) for size, service in ledgers}
        return [_row(name, sides[SMALL][name], sides[large][name], large) for name in sides[SMALL]]


def _row(name: str, small: Callable[[], float], large: Callable[[], float], size: int) -> Row:
    small(), large()
    pairs = [(large(), small()) for _ in range(ROUNDS)]
    ratios = [a / b for a, b in pairs]
    print(f"  {name}: {spread(ratios, '.2f')}", flush=True)
    measured = f"{name}, p95 in ms, at {size:,} events against {SMALL:,}"
    return Row(
        measured,
        spread([a for a, _ in pairs], ".2f"),
        spread([b for _, b in pairs], ".2f"),
        spread(ratios, ".2f"),
        "at most 1.5",
    )


def _sides(service: Service, size: int) -> dict[str, Callable[[], float]]:
    """For each thing measured, what gives its 95th percentile in milliseconds."""
    random = Random(2)

    def append() -> float:
        numbers = [random.randrange(size) for _ in range(CALLS)]
        return _p95(lambda n: service.bus.execute([parse(_receipt(f"P{n}", START))]), numbers)

    sides: dict[str, Callable[[], float]] = {"append of a command": append}
    for path, given in QUESTIONS:
        query = next(query for query in QUERIES if query.path == path)

        def question(query: Any = query, given: Any = given) -> float:
            asked = [query.parameters.model_validate(given(random, size)) for _ in range(CALLS)]
            return _p95(lambda parameters: ask(service.queries, service.ledger, query, parameters), asked)

        sides[f"GET {path}{' as of a past date' if 'as_of' in given(random, size) else ''}"] = question
    return sides


def _p95(call: Callable[[Any], object], given: list[Any]) -> float:
    times = []
    for each in given:
        started = perf_counter()
        call(each)
        times.append((perf_counter() - started) * 1000)
    return quantiles(times, n=20)[-1]


def _fill(service: Service, size: int) -> None:
    """A hundredth as many products and clients as events, so that each has as many as in the other ledger."""
    batch: list[Json] = []
    for command in _trade(size):
        batch.append(command)
        if len(batch) == 1000:
            service.bus.execute([parse(each) for each in batch])
            batch = []
    service.bus.execute([parse(each) for each in batch])
    for projector in service.projectors:
        projector.catch_up(service.queries.log_size())


def _trade(size: int) -> Iterator[Json]:
    random = Random(1)
    number = size // 100
    yield {"type": "warehouse.register", "warehouse": "W", "name": "W", "negative_stock": "forbid"}
    for n in range(number):
        yield {
            "type": "product.register",
            "product": f"P{n}",
            "name": "P",
            "unit": "pcs",
            "scale": 0,
            "costing": "fifo",
        }
        yield {"type": "client.register", "client": f"C{n}", "name": "C"}
    for n in range((size - 2 * number) // 4):
        at = START + timedelta(minutes=n * 100_000 // size)
        client = f"C{random.randrange(number)}"
        yield _receipt(f"P{random.randrange(number)}", at)
        invoice = {"invoice": f"I{n}", "client": client, "amount": "10.00", "currency": "EUR", "due_on": at.date()}
        yield {"type": "invoice.issue", "effective_at": at, **invoice}
        payment = {"payment": f"Z{n}", "client": client, "amount": "9.00", "currency": "EUR", "allocate": "oldest"}
        yield {"type": "payment.receive", "effective_at": at, **payment}


def _receipt(product: str, at: datetime) -> Json:
    fields = {"product": product, "warehouse": "W", "quantity": 1, "cost": 1, "currency": "EUR"}
    return {"type": "stock.receive", "effective_at": at, **fields}


if __name__ == "__main__":
    print(*main(int(sys.argv[1]) if len(sys.argv) > 1 else LARGE), sep="\n")
