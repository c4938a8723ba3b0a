"""What the past costs: a balance at a past date over many movements against over few; and how long a receipt that comes
late, before thousands of others of its product, takes until all figures are right.
"""

import sys
from collections.abc import Iterator
from random import Random
from statistics import median, quantiles
from time import perf_counter

import psycopg2

from api.querying import ask
from api.service import Service, open_service
from bench.measure import Row, server, spread
from bench.queries import PRODUCTS, WAREHOUSES, move
from commands.batch import Accepted
from commands.command import parse
from infra.postgres.append import Row as Record
from infra.postgres.connection import Database
from infra.postgres.writer import Writer
from infra.settings import Settings
from projections import QUERIES
from projections.query import Query
from projections.stock import stock

LARGE, SMALL = 5_000_000, 50_000
ROUNDS, CALLS = 5, 100
LATE, FEW, MANY = 20, 1_000, 10_000
BALANCES: Query = next(query for query in QUERIES if query.path == "/v1/stock/balances")


def main(large: int = LARGE, small: int = SMALL, many: int = MANY) -> list[Row]:
    with server() as dsn:
        return [_past(dsn, large, small), *_late(dsn, many)]


def _past(dsn: str, large: int, small: int) -> Row:
    with (
        open_service(Settings(DATABASE_URL=dsn, ledger="bench_past_large")) as many,
        open_service(Settings(DATABASE_URL=dsn, ledger="bench_past_small")) as few,
    ):
        _generate(many, large)
        _generate(few, small)
        random = Random(5)
        pairs = [(_p95(many, random), _p95(few, random)) for _ in range(ROUNDS)]
    mine, others = (spread(list(side), ".2f") for side in zip(*pairs, strict=True))
    ratios = spread([a / b for a, b in pairs], ".2f")
    measured = f"p95 in ms of a product's balances at a past date, over {large:,} movements against over {small:,}"
    return Row(measured, mine, others, ratios, "at most 2")


def _generate(service: Service, size: int) -> None:
    database = service.pool.database
    place = f"'P' || mod(n * 7919, {PRODUCTS}) AS product, 'W' || mod(n, {WAREHOUSES}) AS warehouse"
    connection = psycopg2.connect(database.dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {database.read_schema}, {database.schema}")
        move(cursor, stock, 1, size, f"{place}, mod(n, 7) - 2 AS on_hand")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def _p95(service: Service, random: Random) -> float:
    times = []
    for _ in range(CALLS):
        asked = {"product": f"P{random.randrange(PRODUCTS)}", "as_of": f"2025-0{random.randrange(2, 9)}-17"}
        started = perf_counter()
        ask(service.queries, service.ledger, BALANCES, BALANCES.parameters.model_validate(asked))
        times.append((perf_counter() - started) * 1000)
    return quantiles(times, n=20)[18]


def _late(dsn: str, many: int) -> Iterator[Row]:
    """In one ledger, so that each product has the other's movements beside its own."""
    with open_service(Settings(DATABASE_URL=dsn, ledger="bench_late")) as service:
        for product, number in (("MANY", many), ("FEW", many // 10)):
            service.bus.execute([parse(given) for given in _masters(product)])
            _receipts(service.pool.database, product, number)
        service.projecting.start()
        _wait(service, service.queries.log_size())
        pairs = [(_seconds(service, "MANY", n) * 1000, _seconds(service, "FEW", n) * 1000) for n in range(LATE)]
    mine, others = (spread(list(side), ".1f") for side in zip(*pairs, strict=True))
    ratio = f"{median(a for a, _ in pairs) / median(b for _, b in pairs):.2f}"
    measured = f"ms from a receipt before a product's {many:,} movements to right figures, against {many // 10:,}"
    yield Row(measured, mine, others, ratio, "stated; linear: at most 10")


def _masters(product: str) -> Iterator[dict[str, object]]:
    yield {"type": "product.register", "product": product, "name": "P", "unit": "pcs", "scale": 0, "costing": "fifo"}
    yield {"type": "warehouse.register", "warehouse": f"W-{product}", "name": "W", "negative_stock": "forbid"}


def _receipts(database: Database, product: str, number: int) -> None:
    """One a minute, in 2026, as commands would have left them."""
    place = f'"product":"{product}","warehouse":"W-{product}"'
    payload = f'{{{place},"quantity":"3","cost":"7.50","currency":"EUR"}}'
    rows: list[Record] = [
        (
            f"stock-W-{product}/{product}",
            str(n + 1),
            "stock.received",
            "1",
            f"product-{product}",
            f"2026-01-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}:00+00:00",
            "{}",
            payload,
            "",
        )
        for n in range(number)
    ]
    writer = Writer(database)
    for start in range(0, number, 1_000):
        writer.append(rows[start : start + 1_000])
    writer.close()


def _seconds(service: Service, product: str, number: int) -> float:
    """From the command to the balance of the day of the last movement, which must have it."""
    last = {"product": product, "as_of": "2026-01-31"}
    before = _on_hand(service, last)
    receipt = {"type": "stock.receive", "product": product, "warehouse": f"W-{product}", "quantity": 1}
    day = f"2025-12-{1 + number:02}T12:00:00Z"
    command = parse({**receipt, "unit_cost": "7.50", "currency": "EUR", "effective_at": day})
    started = perf_counter()
    [outcome] = service.bus.execute([command])
    assert isinstance(outcome, Accepted)
    assert outcome.position
    _wait(service, outcome.position)
    assert _on_hand(service, last) == before + 1
    return perf_counter() - started


def _wait(service: Service, position: int) -> None:
    while not service.queries.has("stock", position):
        service.projecting.wake()


def _on_hand(service: Service, asked: dict[str, str]) -> int:
    answer = ask(service.queries, service.ledger, BALANCES, BALANCES.parameters.model_validate(asked))
    assert answer
    assert answer.items
    return int(answer.items[0]["on_hand"])


if __name__ == "__main__":
    print(*main(*map(int, sys.argv[1:])), sep="\n")
