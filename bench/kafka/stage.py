"""Where the stream is measured: a server, a broker, ledgers with books of receipts, and our processes."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from time import monotonic, sleep

from psycopg2.extensions import parse_dsn

from bench.measure import server
from domain.stock import Received
from infra.kafka.broker import Broker
from infra.postgres.append import to_row
from infra.postgres.connection import Database
from infra.postgres.migrate import migrate
from infra.postgres.read_models import PostgresReadModels
from infra.postgres.record import Record, to_json
from infra.postgres.writer import Writer
from infra.settings import Settings
from projections import PROJECTIONS
from projections.projection import Projection

PARTITIONS = 12
START = datetime(2026, 1, 1, tzinfo=UTC)
WAREHOUSES = 10
EACH = 1_000
"""Events of one append."""

NEVER = 600.0
"""Seconds in which whatever is waited for has come, or never will."""

STOCK: Projection = next(each for each in PROJECTIONS if each.name == "stock")


@dataclass(frozen=True)
class Stage:
    dsn: str
    broker: Broker

    @cached_property
    def server_pid(self) -> int:
        home = Path(parse_dsn(self.dsn)["host"]).parent
        return int((home / "data" / "postmaster.pid").read_text().split()[0])

    @cached_property
    def broker_pid(self) -> int:
        return int((self.broker.directory / "broker.pid").read_text())

    def settings(self, ledger: str) -> Settings:
        given = {"database_url": self.dsn, "ledger": ledger, "partitions": PARTITIONS, "log_level": "WARNING"}
        return self.broker.settings.model_copy(update=given)

    @contextmanager
    def process(self, ledger: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """``grossbuch`` with these words, asked to stop in the end."""
        settings = self.settings(ledger)
        env = {"DATABASE_URL": self.dsn, "GROSSBUCH_LEDGER": ledger, "GROSSBUCH_LOG_LEVEL": settings.log_level}
        command = [str(Path(sys.executable).with_name("grossbuch")), *words]
        process = subprocess.Popen(
            command, env={**os.environ, **self.broker.environment, **env}, stdout=subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


@dataclass
class Book:
    """Receipts of stock, as commands would have left them: a hundred a product."""

    database: Database
    products: int

    def __post_init__(self) -> None:
        self._random = Random(1)
        self._versions: dict[str, int] = {}
        self.size = 0

    def fill(self, size: int) -> None:
        """To so many events in all."""
        writer = Writer(self.database)
        while self.size < size:
            number = min(EACH, size - self.size)
            writer.append([to_row(self._receipt(self.size + n)) for n in range(number)])
            self.size += number
        writer.close()

    def _receipt(self, number: int) -> Record:
        product, warehouse = f"P{self._random.randrange(self.products)}", f"W{self._random.randrange(WAREHOUSES)}"
        quantity = self._random.randrange(1, 9)
        event = Received.model_validate(
            {"product": product, "warehouse": warehouse, "quantity": quantity, "cost": 1, "currency": "EUR"}
        )
        stream = f"stock-{warehouse}/{product}"
        self._versions[stream] = version = self._versions.get(stream, 0) + 1
        at = START + timedelta(minutes=number % 500_000)
        metadata = {"command_id": f"01a20ece-b2a0-71cf-ba98-{number:012}"}
        return Record(stream, version, event.type, to_json(event), 1, f"product-{product}", at, metadata)


@contextmanager
def stage() -> Iterator[Stage]:
    directory = Path(tempfile.mkdtemp(prefix="gbbench", dir="/tmp"))
    try:
        with server() as dsn, Broker(directory, jvm=("-Xmx384m",)) as broker:
            yield Stage(dsn, broker)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def make_book(on: Stage, ledger: str, size: int, products: int = 1_000) -> Book:
    """In a ledger of its own, whose read models follow the topic."""
    made = Book(Database(on.dsn, ledger), products)
    migrate(made.database)
    with closing(PostgresReadModels(made.database)) as read_models:
        read_models.prepare(PROJECTIONS, PARTITIONS)
    made.fill(size)
    return made


def until(so: Callable[[], bool], pause: float = 0.02) -> None:
    begun = monotonic()
    while not so():
        if monotonic() - begun > NEVER:
            raise TimeoutError(f"not so after {NEVER:.0f} s")
        sleep(pause)


def resident(pid: int) -> float:
    """Megabytes of a process that are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
