"""Loading aggregates: from the last snapshot on, brought up to date, many in one round trip."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

import domain.aggregate
import domain.event
from commands.bus import Accepted, Bus
from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.stock_item import StockItem
from infra.postgres.connection import Database, Pool
from infra.postgres.ledger import PostgresLedger
from infra.postgres.shelf import SNAPSHOT_EVERY, Shelf
from infra.postgres.writer import Writer
from tests.integration.writing import ask, outcome, query, until
from tests.unit.words import receive, register_product, register_warehouse, ship

STOCK = "stock-north/lamp"


@pytest.fixture
def bus(database: Database, pool: Pool) -> Iterator[Bus]:
    with PostgresLedger(database, pool, ZoneInfo("UTC")) as ledger:
        bus = Bus(ledger, lambda: datetime.now(UTC), lambda: str(uuid4()))
        bus.execute([register_product(), register_warehouse()])
        yield bus


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each query gave."""
    counts: list[int] = []
    read = Pool.read

    def counting(*arguments: Any) -> Any:
        rows = read(*arguments)
        counts.append(len(rows))
        return rows

    monkeypatch.setattr(Pool, "read", counting)
    return counts


@pytest.fixture
def fresh(database: Database) -> Iterator[Callable[[], Shelf]]:
    """The shelf of a process that has just begun."""
    with Pool(database) as pool:
        yield lambda: Shelf(pool, ZoneInfo("UTC"))


def _many_movements(bus: Bus, number: int) -> None:
    for _ in range(number // 10):
        assert all(isinstance(each, Accepted) for each in bus.execute([receive(3), ship(2)] * 5))


def test_a_long_stream_is_loaded_from_its_last_snapshot_on(
    database: Database, bus: Bus, fresh: Callable[[], Shelf], rows_read: list[int]
) -> None:
    _many_movements(bus, 2 * SNAPSHOT_EVERY + 30)
    until(lambda: query(database, "SELECT max(version) FROM snapshot") == [(200,)])
    rows_read.clear()
    [item] = fresh().load([STOCK])
    assert item.version == 230
    assert rows_read == [1 + 30]
    assert item == bus.ledger.cached(STOCK)


def test_a_snapshot_of_another_shape_of_state_is_passed_over(
    database: Database,
    bus: Bus,
    fresh: Callable[[], Shelf],
    rows_read: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _many_movements(bus, SNAPSHOT_EVERY + 30)
    until(lambda: query(database, "SELECT count(*) FROM snapshot") == [(1,)])
    monkeypatch.setattr(StockItem, "state_version", 3)
    rows_read.clear()
    [item] = fresh().load([STOCK])
    assert rows_read == [130]
    assert item == bus.ledger.cached(STOCK)


def test_snapshots_may_be_deleted(database: Database, bus: Bus, fresh: Callable[[], Shelf]) -> None:
    _many_movements(bus, SNAPSHOT_EVERY + 30)
    until(lambda: query(database, "SELECT count(*) FROM snapshot") == [(1,)])
    query(database, "DELETE FROM snapshot RETURNING 1")
    assert fresh().load([STOCK]) == [bus.ledger.cached(STOCK)]


def test_many_streams_come_in_one_round_trip_blank_ones_too(
    bus: Bus, fresh: Callable[[], Shelf], rows_read: list[int]
) -> None:
    bus.execute([receive(3), ship(1)])
    rows_read.clear()
    loaded = fresh().load([STOCK, "client-nobody", "product-lamp"])
    assert [(each.stream, each.version) for each in loaded] == [(STOCK, 2), ("client-nobody", 0), ("product-lamp", 1)]
    assert rows_read == [3]


def test_an_older_aggregate_never_replaces_a_newer_one(bus: Bus, fresh: Callable[[], Shelf]) -> None:
    shelf = fresh()
    bus.execute([receive(1)])
    [older] = shelf.load([STOCK])
    bus.execute([receive(1)])
    [newer] = shelf.load([STOCK])
    shelf.keep([newer], {}, shelf.era)
    shelf.keep([older], {}, shelf.era)
    assert shelf.cached(STOCK) == newer


def test_a_long_replay_leaves_a_snapshot_behind(database: Database, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    _many_movements(bus, SNAPSHOT_EVERY + 30)
    monkeypatch.setattr(StockItem, "state_version", 3)
    bus.ledger.fetch([STOCK])
    until(lambda: query(database, "SELECT version FROM snapshot WHERE type = 'stock@3'") == [(130,)])


@pytest.fixture
def lamp(monkeypatch: pytest.MonkeyPatch) -> type[Aggregate]:
    """An aggregate of the test's own, whose event has changed its shape twice."""
    monkeypatch.setattr(domain.event, "_registry", {**domain.event._registry})
    monkeypatch.setattr(domain.aggregate, "_registry", {**domain.aggregate._registry})

    class Dimmed(Event, type="lamp.dimmed", version=3):
        percent: int
        by: str

        @staticmethod
        def upcast_v1_v2(payload: dict[str, Any]) -> None:
            payload["percent"] = round(100 * float(payload.pop("fraction")))

        @staticmethod
        def upcast_v2_v3(payload: dict[str, Any]) -> None:
            payload["by"] = "unknown"

    class Lamp(Aggregate, kind="lamp"):
        dimmed: tuple[tuple[int, str], ...] = ()

        def evolve(self, entry: Entry) -> Changes:
            assert isinstance(entry.event, Dimmed)
            return {"dimmed": (*self.dimmed, (entry.event.percent, entry.event.by))}

    return Lamp


def test_events_of_old_schema_versions_are_brought_up_to_date_when_read(
    database: Database, fresh: Callable[[], Shelf], lamp: type[Aggregate]
) -> None:
    payloads = ['{"fraction": "0.25"}', '{"percent": 50}', '{"percent": 75, "by": "Anna"}']
    writer = Writer(database)
    for number, payload in enumerate(payloads, start=1):
        row = ("lamp-1", str(number), "lamp.dimmed", str(number), "lamp-1", "2026-01-01T00:00:00Z", "{}", payload, "")
        assert outcome(ask(writer, row)) == number
    writer.close()
    [loaded] = fresh().load(["lamp-1"])
    assert loaded == lamp(stream="lamp-1", version=3, dimmed=((25, "unknown"), (50, "unknown"), (75, "Anna")))
    stored = query(database, "SELECT payload FROM event ORDER BY position")
    assert [payload for (payload,) in stored] == payloads
