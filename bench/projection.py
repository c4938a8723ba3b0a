"""Events projected a second: our stock register (movements, turnovers, balances) against the library's runner.

The library's side: its ProjectionRunner on its own recorder (psycopg 3), and a view that does one upsert an event.
Both project the same receipts, of the same products and warehouses.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from time import perf_counter
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg2.extensions import parse_dsn

from api.collector import tune_collector
from api.origins import FromStore
from api.rebuilding import Rebuild
from api.service import open_service
from bench.measure import Row, server, versus
from commands.command import parse
from infra.settings import Settings
from projections import PROJECTIONS

OURS, THEIRS = 100_000, 8_000
PRODUCTS, WAREHOUSES = 1_000, 10


def receipts(number: int) -> list[tuple[str, str, int, datetime]]:
    random = Random(1)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        (
            f"P{random.randrange(PRODUCTS)}",
            f"W{random.randrange(WAREHOUSES)}",
            random.randrange(1, 9),
            start + timedelta(minutes=n),
        )
        for n in range(number)
    ]


class Received(Aggregate.Event):
    product: str
    warehouse: str
    quantity: Decimal


class StockView(PostgresTrackingRecorder):
    """A balance table with one upsert an event, in the transaction of its tracking."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS balance (product text, warehouse text, on_hand numeric,"
                " PRIMARY KEY (product, warehouse))"
            )

    def receive(self, event: Received, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO balance AS b VALUES (%s, %s, %s) ON CONFLICT (product, warehouse)"
                " DO UPDATE SET on_hand = b.on_hand + excluded.on_hand",
                (event.product, event.warehouse, event.quantity),
                prepare=True,
            )


class StockProjection(Projection[StockView]):
    name = "stock"

    @singledispatchmethod
    def process_event(self, _: Any, tracking: Tracking) -> None:
        self.view.insert_tracking(tracking)

    @process_event.register
    def received(self, event: Received, tracking: Tracking) -> None:
        self.view.receive(event, tracking)


class Stock(Application[UUID]):
    name = "stockapp"


def main() -> list[Row]:
    with server() as dsn:
        env = _library(dsn)
        with open_service(Settings(DATABASE_URL=dsn, ledger="bench_projection")) as service:
            _fill(service)
            stock = [each for each in PROJECTIONS if each.name == "stock"]
            tune_collector()  # as the command line does

            def ours() -> float:
                started = perf_counter()
                rebuilding = Rebuild(service.pool.database, service.pool, stock, FromStore(service.queries.log_size()))
                rebuilding.fill(1, None, int)
                assert all(each.is_current for each in rebuilding.finish(accept=False, most=1))
                return OURS / (perf_counter() - started)

            measured = (
                "rebuilt events/s (stock: movements, turnovers, balances; compared, swapped), one process, against"
                " `ProjectionRunner`, one upsert"
            )
            return [versus(measured, ours, lambda: _run(env), goal="25")]


def _fill(service: Any) -> None:
    setup: list[dict[str, Any]] = [
        {"type": "product.register", "product": f"P{n}", "name": "P", "unit": "pcs", "scale": 0, "costing": "fifo"}
        for n in range(PRODUCTS)
    ]
    setup += [
        {"type": "warehouse.register", "warehouse": f"W{n}", "name": "W", "negative_stock": "forbid"}
        for n in range(WAREHOUSES)
    ]
    trade = [
        {
            "type": "stock.receive",
            "product": p,
            "warehouse": w,
            "quantity": q,
            "cost": 1,
            "currency": "EUR",
            "effective_at": at,
        }
        for p, w, q, at in receipts(OURS)
    ]
    commands = [*setup, *trade]
    for start in range(0, len(commands), 1000):
        service.bus.execute([parse(command) for command in commands[start : start + 1000]])


def _library(dsn: str) -> dict[str, str]:
    where = parse_dsn(dsn)
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": where["dbname"],
        "POSTGRES_HOST": where["host"],
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": where["user"],
        "POSTGRES_PASSWORD": "x",
    }
    with Stock(env=env) as app:
        for product, warehouse, quantity, _ in receipts(THEIRS):
            aggregate = Aggregate()
            aggregate.trigger_event(Received, product=product, warehouse=warehouse, quantity=Decimal(quantity))
            aggregate._pending_events.pop(0)
            app.save(aggregate)
    return env


def _run(env: dict[str, str]) -> float:
    """A new projection over the whole log, until it has seen the last event."""
    StockProjection.name = f"stock{perf_counter():.6f}".replace(".", "")
    started = perf_counter()
    with ProjectionRunner(
        application_class=Stock, projection_class=StockProjection, view_class=StockView, env=env
    ) as runner:
        runner.projection.view.wait(runner.app.name, runner.app.recorder.max_notification_id(), timeout=120)
    return THEIRS / (perf_counter() - started)


if __name__ == "__main__":
    print(*main(), sep="\n")
