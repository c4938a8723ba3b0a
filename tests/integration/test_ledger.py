"""Commands through the bus into the book: once each, on what is so, together where they belong together."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from structlog.testing import capture_logs

from commands.bus import Accepted, Bus, Options, Outcome, Refused
from commands.command import Command
from commands.ports import Unavailable
from infra.postgres.connection import Database, Pool
from infra.postgres.ledger import PostgresLedger
from tests.integration.writing import head_held, query, streams, until, waiting_backends
from tests.unit.given import command
from tests.unit.words import issue, pay, receive, register_client, register_product, register_warehouse, ship


@dataclass
class Process:
    """What a process has of its own: connections, a writer, a cache that nobody refreshes."""

    ledger: PostgresLedger
    bus: Bus
    submitted: int = 0

    def execute(self, *commands: Command, **options: Any) -> list[Outcome]:
        return self.bus.execute(commands, Options(**options))

    def one(self, command: Command, **options: Any) -> Outcome:
        [outcome] = self.execute(command, **options)
        return outcome


Start = Callable[[], AbstractContextManager[Process]]


@pytest.fixture
def start(database: Database) -> Start:
    numbers = count(1)

    @contextmanager
    def start() -> Iterator[Process]:
        with Pool(database) as pool, PostgresLedger(database, pool, ZoneInfo("UTC")) as ledger:
            process = Process(ledger, Bus(ledger, lambda: datetime.now(UTC), lambda: f"new-{next(numbers)}"))
            submit = ledger.submit

            def counting(*arguments: Any) -> None:
                process.submitted += 1
                submit(*arguments)

            ledger.submit = counting  # type: ignore[method-assign]
            yield process

    return start


@pytest.fixture
def process(start: Start) -> Iterator[Process]:
    with start() as process:
        yield process


@pytest.fixture
def other(start: Start) -> Iterator[Process]:
    with start() as process:
        yield process


def test_a_command_answers_where_its_events_stand(database: Database, process: Process) -> None:
    [first, second] = process.execute(register_client("C1"), register_client("C2"))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert (first.position, second.position) == (1, 2)
    assert [(e.position, e.type, e.stream, e.version) for e in second.events] == [
        (2, "client.registered", "client-C2", 1)
    ]
    assert streams(database) == ["client-C1", "client-C2"]


def test_a_repeated_command_is_answered_as_the_first_time(database: Database, process: Process, start: Start) -> None:
    before = _accepted(process.one(register_client(command_id="c-1")))
    with start() as later:
        again = _accepted(later.one(register_client(command_id="c-1")))
    assert again.replayed
    assert (again.position, again.events) == (before.position, before.events)
    assert process.one(register_client(command_id="c-1")) == again
    assert streams(database) == ["client-C1"]


def test_a_command_of_several_events_is_answered_whole_when_repeated(process: Process) -> None:
    process.execute(register_client(), issue("I1", "10.00", "2026-07-01"), issue("I2", "5.00", "2026-07-01"))
    before = _accepted(process.one(pay("15.00", command_id="c-1", allocate="oldest")))
    again = _accepted(process.one(pay("15.00", command_id="c-1", allocate="oldest")))
    assert len(before.events) > 1
    assert (again.position, again.events) == (before.position, before.events)


def test_a_command_id_with_another_body_is_refused(database: Database, process: Process, other: Process) -> None:
    process.one(register_client("C1", command_id="c-1"))
    assert _refused(other.one(register_client("C2", command_id="c-1"))) == "command_id_reused"
    assert streams(database) == ["client-C1"]


def test_one_id_twice_in_a_batch_is_a_repeat_or_a_reuse(database: Database, process: Process) -> None:
    outcomes = process.execute(
        register_client("C1", command_id="c-1"),
        register_client("C1", command_id="c-1"),
        register_client("C2", command_id="c-1"),
    )
    first, repeat = map(_accepted, outcomes[:2])
    assert (first.replayed, repeat.replayed) == (False, True)
    assert repeat.events == first.events
    assert _refused(outcomes[2]) == "command_id_reused"
    assert streams(database) == ["client-C1"]


def test_a_command_may_expect_a_version(database: Database, process: Process, other: Process) -> None:
    process.one(register_client())
    for invoice in ("I1", "I2"):
        _accepted(process.one(issue(invoice, "1.00", "2026-07-01")))
    assert _refused(other.one(issue("I3", "1.00", "2026-07-01", expected_version=1))) == "conflict"
    _accepted(other.one(issue("I3", "1.00", "2026-07-01", expected_version=2)))
    assert _refused(process.one(issue("I4", "1.00", "2026-07-01", expected_version=2))) == "conflict"
    assert len(streams(database)) == 4


def test_an_independent_batch_goes_in_without_those_that_were_refused(database: Database, process: Process) -> None:
    outcomes = process.execute(register_client("C1"), register_client("C1"), register_client("C2"))
    assert [type(each) for each in outcomes] == [Accepted, Refused, Accepted]
    assert streams(database) == ["client-C1", "client-C2"]
    assert query(database, "SELECT count(DISTINCT xmin::text) FROM event") == [(1,)]


def test_an_atomic_batch_goes_in_as_a_whole_or_not_at_all(database: Database, process: Process) -> None:
    batch = register_client("C1"), register_client("C1"), register_client("C2")
    assert [_refused(each) for each in process.execute(*batch, mode="atomic")] == [
        "batch_refused",
        "already_exists",
        "batch_refused",
    ]
    assert streams(database) == []
    process.execute(*batch[1:], mode="atomic")
    assert streams(database) == ["client-C1", "client-C2"]


def test_a_dry_run_decides_and_writes_nothing(database: Database, process: Process) -> None:
    would = _accepted(process.one(register_client(command_id="c-1"), dry_run=True))
    assert would.position is None
    assert [(each.stream, each.version) for each in would.events] == [("client-C1", 1)]
    assert streams(database) == []
    assert not _accepted(process.one(register_client(command_id="c-1"))).replayed


def test_an_invoice_number_that_another_client_has_is_taken(process: Process, other: Process) -> None:
    process.execute(register_client("C1"), register_client("C2"), issue("I1", "10.00", "2026-07-01"))
    assert _refused(other.one(issue("I1", "10.00", "2026-07-01", client="C2"))) == "already_exists"


def test_an_invoice_number_is_taken_once_within_a_batch(process: Process) -> None:
    process.execute(register_client("C1"), register_client("C2"))
    outcomes = process.execute(
        issue("I1", "10.00", "2026-07-01", client="C1"), issue("I1", "10.00", "2026-07-01", client="C2")
    )
    assert _accepted(outcomes[0])
    assert _refused(outcomes[1]) == "already_exists"


def test_a_stale_cache_leads_to_another_decision_not_to_an_error(process: Process, other: Process) -> None:
    process.execute(register_client(), issue("I1", "10.00", "2026-07-01"))
    _accepted(other.one(issue("I2", "20.00", "2026-07-01")))
    before = process.submitted
    outcome = _accepted(process.one(issue("I3", "30.00", "2026-07-01")))
    assert [each.version for each in outcome.events] == [3]
    assert process.submitted - before == 2


def test_a_refusal_decided_on_a_stale_cache_is_decided_again(process: Process, other: Process) -> None:
    process.execute(register_product(), register_warehouse(), receive(1))
    _accepted(other.one(receive(10)))
    _accepted(process.one(ship(5)))


def test_what_a_stale_cache_would_allow_is_refused_on_what_is_so(
    database: Database, process: Process, other: Process
) -> None:
    process.execute(register_product(), register_warehouse(), receive(10))
    _accepted(other.one(ship(8)))
    outcome = process.one(ship(5))
    assert _refused(outcome) == "insufficient_stock"
    assert isinstance(outcome, Refused)
    assert outcome.refusal.facts["available"] == 2
    assert len(streams(database)) == 4


def test_processes_that_race_for_the_last_piece_do_not_both_get_it(process: Process, other: Process) -> None:
    process.execute(register_product(), register_warehouse(), receive(1))
    other.ledger.fetch(["product-lamp", "warehouse-north", "stock-north/lamp"])

    async def both() -> list[list[Outcome]]:
        return await asyncio.gather(process.bus.execute_async([ship(1)]), other.bus.execute_async([ship(1)]))

    outcomes = [outcome for [outcome] in asyncio.run(both())]
    assert sorted(type(each).__name__ for each in outcomes) == ["Accepted", "Refused"]


def test_a_period_that_another_process_has_closed_takes_nothing_any_more(
    database: Database, process: Process, other: Process
) -> None:
    process.execute(register_product(), register_warehouse(), receive(1, "2026-01-31"))
    _accepted(other.one(command("period.close", through="2026-01-31")))
    assert _refused(process.one(receive(1, "2026-01-31"))) == "period_closed"
    assert _accepted(process.one(receive(1, "2026-02-01")))
    assert len(streams(database)) == 5


def test_a_closing_keeps_out_what_was_decided_before_it_and_comes_after_it(
    database: Database, process: Process, other: Process
) -> None:
    """Both wait for the head, the closing first: the receipt was decided on an open period."""
    process.execute(register_product(), register_warehouse(), receive(1, "2026-01-31"))
    with ThreadPoolExecutor() as pool:
        with head_held(database):
            closing = pool.submit(other.one, command("period.close", through="2026-01-31"))
            until(lambda: len(waiting_backends(database)) == 1)
            late = pool.submit(process.one, receive(1, "2026-01-31"))
            until(lambda: len(waiting_backends(database)) == 2)
        _accepted(closing.result())
        assert _refused(late.result()) == "period_closed"
    assert query(database, "SELECT open_from FROM head") == [(datetime(2026, 2, 1, tzinfo=UTC),)]


def test_what_has_left_an_aggregate_s_state_is_recalled(process: Process) -> None:
    process.execute(register_client(), issue("I1", "10.00", "2026-07-01"), pay("10.00", allocate="oldest"))
    assert process.ledger.holders(["invoice:I1", "payment:Z1", "invoice:I2"]) == {
        "invoice:I1": "account-C1",
        "payment:Z1": "account-C1",
    }
    [(stream, account)] = process.ledger.recall(["account-C1"]).items()
    assert (stream, account.version, account.whole) == ("account-C1", 3, True)
    cached = process.ledger.cached("account-C1")
    assert cached is not None
    assert not cached.whole


def test_the_event_loop_goes_on_while_the_database_works(database: Database, process: Process) -> None:
    async def register() -> list[list[Outcome]]:
        with head_held(database):
            waiting = [asyncio.ensure_future(process.bus.execute_async([register_client(f"C{n}")])) for n in range(40)]
            while not waiting_backends(database):
                await asyncio.sleep(0.01)
            assert not any(each.done() for each in waiting)
        return await asyncio.gather(*waiting)

    outcomes = [_accepted(outcome) for [outcome] in asyncio.run(register())]
    assert sorted(each.position or 0 for each in outcomes) == list(range(1, 41))
    assert len(streams(database)) == 40


def test_a_client_that_goes_away_does_not_keep_its_command_from_the_book(database: Database, process: Process) -> None:
    async def leave() -> None:
        with head_held(database):
            going = asyncio.ensure_future(process.bus.execute_async([register_client()]))
            while not waiting_backends(database):
                await asyncio.sleep(0.01)
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)

    asyncio.run(leave())
    until(lambda: streams(database) == ["client-C1"])
    assert _refused(process.one(register_client())) == "already_exists"


def test_a_database_that_is_away_is_unavailable(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any, **__: Any) -> Any:
        raise psycopg2.OperationalError("could not connect")

    with monkeypatch.context() as away:
        away.setattr(Database, "connect", connect)
        with pytest.raises(Unavailable):
            process.one(register_client())
    assert _accepted(process.one(register_client()))


def _accepted(outcome: Outcome) -> Accepted:
    assert isinstance(outcome, Accepted), outcome
    return outcome


def _refused(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal.code


def test_a_database_that_goes_away_while_snapshots_are_taken_is_no_error(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: object) -> None:
        raise psycopg2.OperationalError("server closed the connection")

    with start() as process, capture_logs() as told:
        monkeypatch.setattr(process.ledger._shelf, "snapshot", gone)
        process.ledger._take_snapshots([])
    assert [(each["event"], each["log_level"]) for each in told] == [("snapshots not taken", "warning")]
