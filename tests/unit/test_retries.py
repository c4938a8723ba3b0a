"""A command that is sent again is answered as its first try was, whenever that was committed, or is being."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from commands.bus import Accepted, Outcome, Refused
from commands.command import Command
from commands.ports import Found
from domain.aggregate import Aggregate
from tests.unit.memory_ledger import Log, MemoryLedger
from tests.unit.test_bus_conflicts import Process
from tests.unit.words import receive, register_client, register_product, register_warehouse, ship


class WatchedLedger(MemoryLedger):
    """``step`` is called before each time that something is asked of the book, or appended to it."""

    step: Callable[[], object] = bool

    def fetch(self, streams: Iterable[str]) -> dict[str, Aggregate]:
        self.step()
        return super().fetch(streams)

    def look(self, command_ids: Iterable[str], claims: Iterable[str]) -> Found:
        self.step()
        known = super().look(command_ids, ())
        self.step()
        return Found(known.known, super().look((), claims).claims)

    def refuse(self, digests: Mapping[str, str]) -> Found:
        self.step()
        return super().refuse(digests)

    def holders(self, claims: Iterable[str]) -> dict[str, str]:
        self.step()
        return super().holders(claims)


class Watched(Process):
    def __init__(self, log: Log, name: str) -> None:
        super().__init__(log, name)
        self.watched = WatchedLedger(log)
        self.bus = type(self.bus)(self.watched, self.bus.clock, self.bus.new_id)

    def at_step(self, number: int, act: Callable[[], object]) -> None:
        steps = iter(range(number + 1))
        self.watched.step = lambda: act() if next(steps, None) == number else None
        self.watched.before_append = self.watched.step


@pytest.fixture
def log() -> Log:
    log = Log()
    Process(log, "first").run(register_product(), register_warehouse(), receive(5))
    return log


TRIES: Mapping[str, Command] = {
    "what is refused once it is there": register_client("C1", command_id="k"),
    "what leaves too little for another": ship(4, command_id="k"),
}


@pytest.mark.parametrize("step", range(8))
@pytest.mark.parametrize("kind", TRIES)
def test_a_retry_is_answered_as_the_first_try_whenever_that_is_committed(log: Log, kind: str, step: int) -> None:
    first, again = Process(log, "theirs"), Watched(log, "ours")
    again.at_step(step, lambda: first.run(TRIES[kind]))
    [outcome] = again.run(TRIES[kind])
    assert isinstance(outcome, Accepted), outcome
    [repeated] = again.run(TRIES[kind])
    assert isinstance(repeated, Accepted)
    assert repeated.replayed
    assert [id for id in log.known if id == "k"] == ["k"]


@pytest.fixture
def slow(log: Log) -> tuple[Process, Event, Event]:
    """Whose append has begun, and waits for leave."""
    process, begun, leave = Process(log, "slow"), Event(), Event()

    def wait() -> None:
        begun.set()
        assert leave.wait(60)

    process.ledger.before_append = wait
    return process, begun, leave


def test_a_second_try_waits_for_the_first(slow: tuple[Process, Event, Event]) -> None:
    """Else it would be told that there is too little, of what its own first try has taken a moment later."""
    process, begun, leave = slow
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(process.run, ship(5, command_id="k"))
        assert begun.wait(60)
        process.ledger.before_append = bool
        second = threads.submit(process.run, ship(5, command_id="k"))
        assert not second.done()
        leave.set()
        [outcome], [repeated] = first.result(60), second.result(60)
    assert isinstance(outcome, Accepted)
    assert isinstance(repeated, Accepted)
    assert (outcome.replayed, repeated.replayed) == (False, True)


def test_batches_with_the_same_commands_in_another_order_do_not_wait_for_each_other_for_ever(log: Log) -> None:
    process = Process(log, "ours")
    commands = [ship(1, command_id=f"k{number}") for number in range(4)]

    async def both() -> list[list[Outcome]]:
        there, back = process.bus.execute_async(commands), process.bus.execute_async(commands[::-1])
        return await asyncio.wait_for(asyncio.gather(there, back), 60)

    outcomes = [outcome for found in asyncio.run(both()) for outcome in found]
    assert not [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert len(log.known) == 3 + 4


def test_what_was_decided_before_the_book_was_set_back_is_decided_again(log: Log) -> None:
    """Four are in the cache, and the book that is there now has one."""
    process = Process(log, "ours")
    process.run(ship(1))

    def set_back() -> None:
        del log.entries[2:]
        Process(log, "theirs").run(receive(1))
        process.ledger.forget()

    process.meanwhile(set_back)
    [outcome] = process.run(ship(3))
    assert isinstance(outcome, Refused)
    assert outcome.refusal.facts["available"] == 1


def test_what_was_refused_is_not_booked_by_a_try_that_was_under_way(log: Log) -> None:
    """The first try is overtaken, decides again, and could do it now: there is more in the warehouse again. But its
    caller, who has asked another process meanwhile, was told that it cannot be done."""
    slow, quick = Process(log, "slow"), Process(log, "quick")

    def meanwhile() -> None:
        quick.run(ship(5))
        [told] = quick.run(ship(3, command_id="k"))
        assert isinstance(told, Refused)
        quick.run(receive(9))

    slow.meanwhile(meanwhile)
    [outcome] = slow.run(ship(3, command_id="k"))
    assert isinstance(outcome, Refused)
    assert outcome.refusal.code == "conflict"
    assert "k" not in {entry.metadata["command_id"] for entry in log.entries}


@pytest.mark.parametrize("times", [1, 3])
def test_what_was_refused_may_be_tried_again_later_under_the_same_id(log: Log, times: int) -> None:
    first, other = Process(log, "first"), Process(log, "other")
    for _ in range(times):
        [refused] = first.run(ship(8, command_id="k"))
        assert isinstance(refused, Refused)
        assert refused.refusal.code == "insufficient_stock"
    other.run(receive(9))
    [taken] = first.run(ship(8, command_id="k"))
    [repeated] = other.run(ship(8, command_id="k"))
    assert isinstance(taken, Accepted)
    assert isinstance(repeated, Accepted)
    assert (taken.replayed, repeated.replayed) == (False, True)
    assert (taken.command_id, repeated.position) == ("k", taken.position)
    [known] = other.run(ship(7, command_id="k"))
    assert isinstance(known, Refused)
    assert known.refusal.code == "command_id_reused"


def test_what_is_refused_stays_so_while_the_rest_of_its_batch_is_decided_again(log: Log) -> None:
    """Its own refusal is not taken for that of another try."""
    process = Process(log, "ours")
    process.meanwhile(lambda: Process(log, "theirs").run(receive(1)))
    taken, refused, _ = process.run(
        ship(1, command_id="a"), ship(9, command_id="b"), register_client("C1", command_id="c")
    )
    assert isinstance(taken, Accepted)
    assert isinstance(refused, Refused)
    assert refused.refusal.code == "insufficient_stock"
