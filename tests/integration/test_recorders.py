"""What the library's own cases (tests/conformance) do not ask of the recorders."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from eventsourcing.application import Repository
from eventsourcing.persistence import (
    DataError,
    EventStore,
    IntegrityError,
    OperationalError,
    StoredEvent,
    Tracking,
)
from eventsourcing.utils import Environment

from commands.bus import Bus
from infra.postgres import recorders as module
from infra.postgres import writer
from infra.postgres.connection import Database, Pool
from infra.postgres.factory import Factory, schema_of
from infra.postgres.ledger import PostgresLedger
from infra.postgres.record import EntryMapper, Record
from infra.postgres.recorders import AggregateRecorder, ApplicationRecorder, ProcessRecorder
from tests.integration.writing import query, streams, terminate
from tests.unit.words import receive, register_product, register_warehouse


@pytest.fixture
def factory(database: Database) -> Iterator[Factory]:
    with _factory(database) as factory:
        yield factory
        factory.close()


@pytest.fixture
def recorder(factory: Factory) -> ApplicationRecorder:
    return factory.application_recorder()


def stored(id: str, version: int = 1, topic: str = "happened") -> StoredEvent:
    return StoredEvent(id, version, topic, b"{}")


def test_an_empty_state_is_one_too(recorder: ApplicationRecorder) -> None:
    recorder.insert_events([StoredEvent("s-1", 1, "t", b"")])
    assert recorder.select_events("s-1") == [StoredEvent("s-1", 1, "t", b"")]


def test_a_record_comes_back_as_it_was(recorder: ApplicationRecorder) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    record = Record("s-1", 1, "a.b", b"{}", 2, "order", moment, {"actor": "Anna"}, "invoice:I1")
    recorder.insert_events([record])
    assert recorder.select_events("s-1") == [record]


def test_an_event_of_the_librarys_own_counts_from_its_recording_on(
    database: Database, recorder: ApplicationRecorder
) -> None:
    before = datetime.now(UTC)
    recorder.insert_events([stored("s-1")])
    [(effective_at, recorded_at)] = query(database, "SELECT effective_at, recorded_at FROM event")
    assert before <= effective_at <= recorded_at


def test_the_librarys_repository_reads_what_the_bus_has_written(database: Database, pool: Pool) -> None:
    with PostgresLedger(database, pool, ZoneInfo("UTC")) as ledger:
        bus = Bus(ledger, lambda: datetime.now(UTC), lambda: str(uuid4()))
        bus.execute([register_product(), register_warehouse(), receive(3), receive(4)])
        idle = writer.Writer(database)
        events = EventStore(EntryMapper(ZoneInfo("UTC")), AggregateRecorder(pool, idle))
        assert Repository(events).get("stock-north/lamp") == ledger.cached("stock-north/lamp")
        idle.close()


def test_a_subscription_sees_what_other_processes_write(database: Database, recorder: ApplicationRecorder) -> None:
    with _factory(database) as other, recorder.subscribe(gt=0) as subscription:
        for number in range(1, 4):
            other.application_recorder().insert_events([stored(f"s-{number}")])
            notification = next(subscription)
            assert (notification.id, notification.originator_id) == (number, f"s-{number}")
        other.close()


def test_a_subscription_sees_its_own_process_at_once(
    recorder: ApplicationRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHORTEST", 1000)
    monkeypatch.setattr(module, "LONGEST", 1000)
    with ThreadPoolExecutor(1) as threads, recorder.subscribe() as subscription:
        waiting = threads.submit(next, subscription)
        recorder.insert_events([stored("s-1")])
        assert waiting.result(20).originator_id == "s-1"


def test_a_subscription_looks_but_once_at_what_it_does_not_want(recorder: ApplicationRecorder) -> None:
    recorder.insert_events([stored(f"s-{number}") for number in range(10)])
    with recorder.subscribe(topics=["wanted"]) as subscription:
        recorder.insert_events([stored("s-wanted", topic="wanted"), stored("s-10")])
        assert next(subscription).id == 11
        assert subscription._seen == 12


def test_more_than_a_page_comes_whole_and_in_order(recorder: ApplicationRecorder) -> None:
    recorder.insert_events([stored(f"s-{number}", topic=f"t{number % 2}") for number in range(2_300)])
    with recorder.subscribe(topics=["t1"]) as subscription:
        assert [next(subscription).id for _ in range(1_150)] == list(range(2, 2_301, 2))


def test_reading_goes_on_when_idle_connections_were_lost(database: Database, recorder: ApplicationRecorder) -> None:
    recorder.insert_events([stored("s-1")])
    recorder.max_notification_id()
    for (pid,) in query(database, "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'grossbuch %%'"):
        terminate(database, pid)
    assert recorder.max_notification_id() == 1
    assert recorder.insert_events([stored("s-2")]) == [2]


def test_errors_are_the_librarys_own(recorder: ApplicationRecorder, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError):
        recorder.insert_events([StoredEvent("s-1", 1, "t", b"\0")])
    with pytest.raises(DataError):
        recorder.insert_events([StoredEvent("s-1", 1, "t", b"\xff")])
    with pytest.raises(DataError):
        recorder.insert_events([StoredEvent("s\x1f1", 1, "t", b"")])
    with pytest.raises(DataError):
        recorder.select_events("s-1\0")
    monkeypatch.setattr(Database, "connect", _unreachable)
    recorder._pool.close()
    with pytest.raises(OperationalError):
        recorder.max_notification_id()


def test_an_insert_with_a_command_id_happens_once(database: Database, recorder: ApplicationRecorder) -> None:
    assert recorder.insert_events([stored("s-1")], command_id="c-1") == [1]
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored("s-2")], command_id="c-1")
    assert streams(database) == ["s-1"]


@pytest.mark.parametrize(("command_id", "known"), [("c-1", True), ("", False)])
def test_an_insert_whose_answer_is_lost_is_known_by_its_command_id(
    recorder: ApplicationRecorder, monkeypatch: pytest.MonkeyPatch, command_id: str, known: bool
) -> None:
    real = writer.append

    def lost(cursor: Any, *arguments: Any, **named: Any) -> bool:
        real(cursor, *arguments, **named)
        monkeypatch.setattr(writer, "append", real)
        cursor.connection.close()
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(writer, "append", lost)
    if known:
        assert recorder.insert_events([stored("s-1")], command_id=command_id) == [1]
    else:
        with pytest.raises(OperationalError, match="unknown"):
            recorder.insert_events([stored("s-1")])
    assert recorder.max_notification_id() == 1


def test_what_comes_of_an_event_is_recorded_with_its_tracking_or_not_at_all(
    database: Database, factory: Factory
) -> None:
    recorder = factory.process_recorder()
    recorder.insert_events([stored("s-1")], tracking=Tracking("upstream", 5))
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored("s-2")], tracking=Tracking("upstream", 5))
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored("s-1")], tracking=Tracking("upstream", 6))
    assert streams(database) == ["s-1"]
    assert recorder.max_tracking_id("upstream") == 5


def test_process_recorders_and_writers_take_turns(database: Database, factory: Factory) -> None:
    recorders: list[ProcessRecorder] = [factory.process_recorder() for _ in range(4)]

    def insert(number: int) -> None:
        for version in range(1, 51):
            tracking = Tracking(f"up-{number}", version) if number % 2 else None
            recorders[number].insert_events([stored(f"s-{number}", version)], tracking=tracking)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(insert, range(4)))
    assert len(streams(database)) == 200


def test_each_application_has_a_ledger_of_its_own() -> None:
    assert schema_of("BankAccounts") == "bankaccounts"
    assert schema_of("2nd-Try: Ünique_Shop") == "ndtrynique_shop"
    assert schema_of("") == schema_of("42") == "grossbuch"
    assert len(schema_of("x" * 100)) == 40


def _factory(database: Database) -> Factory:
    """Of an application whose name is the ledger's."""
    return Factory(Environment(database.schema, {"DATABASE_URL": database.dsn}))


def _unreachable(*_: Any, **__: Any) -> Any:
    raise psycopg2.OperationalError("could not connect")
