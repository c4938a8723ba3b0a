"""Two processes on one log: what was decided on what is not so any more is decided again."""

from collections.abc import Callable
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from commands.bus import ATTEMPTS, Accepted, Bus, Options, Outcome, Refused
from commands.command import Command
from tests.unit.given import TODAY, command
from tests.unit.memory_ledger import Log, MemoryLedger
from tests.unit.words import (
    define_pipeline,
    issue,
    log_interaction,
    lose,
    move,
    open_deal,
    pay,
    receive,
    register_client,
    register_product,
    register_warehouse,
    ship,
)

PLAIN = Options()
ATOMIC = Options(mode="atomic")


class Process:
    """A bus with a cache of its own."""

    def __init__(self, log: Log, name: str) -> None:
        numbers = count(1)
        self.ledger = MemoryLedger(log)
        self.bus = Bus(self.ledger, lambda: TODAY, lambda: f"{name}-{next(numbers)}")

    def run(self, *commands: Command, options: Options = PLAIN) -> list[Outcome]:
        return self.bus.execute(commands, options)

    def meanwhile(self, act: Callable[[], object], times: int = 1) -> None:
        """What happens between a decision of this process and its append."""
        rounds = iter(range(times))
        self.ledger.before_append = lambda: act() if next(rounds, None) is not None else None


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def ours(log: Log) -> Process:
    return Process(log, "ours")


@pytest.fixture
def theirs(log: Log) -> Process:
    process = Process(log, "theirs")
    process.run(register_client(), define_pipeline("forward"), open_deal(), register_product(), register_warehouse())
    return process


def code(outcome: Outcome) -> str:
    return outcome.refusal.code if isinstance(outcome, Refused) else "accepted"


def test_a_conflict_is_decided_again_on_what_is_so(ours: Process, theirs: Process) -> None:
    ours.meanwhile(lambda: theirs.run(move("B")))
    [outcome] = ours.run(move("C"))
    assert isinstance(outcome, Accepted)
    [event] = outcome.events
    assert (event.version, ours.ledger.log.entries[-1].event.from_stage) == (3, "B")


def test_a_conflict_may_end_in_a_refusal(ours: Process, theirs: Process) -> None:
    ours.meanwhile(lambda: theirs.run(lose()))
    assert [code(outcome) for outcome in ours.run(move("C"))] == ["deal_closed"]


def test_an_expected_version_that_has_passed_is_a_conflict(ours: Process, theirs: Process) -> None:
    ours.meanwhile(lambda: theirs.run(move("B")))
    [outcome] = ours.run(command("deal.move", deal="D1", stage="C", expected_version=1))
    assert code(outcome) == "conflict"


def test_a_claim_that_others_took_meanwhile_is_refused(ours: Process, theirs: Process) -> None:
    theirs.run(register_client("C2"))
    ours.meanwhile(lambda: theirs.run(issue("I1", 5, due="2026-06-10", client="C2")))
    [outcome] = ours.run(issue("I1", 5, due="2026-06-10"))
    assert code(outcome) == "already_exists"


def test_a_taken_claim_spoils_nothing_else_of_the_batch(ours: Process, theirs: Process) -> None:
    theirs.run(register_client("C2"), issue("I1", 5, due="2026-06-10", client="C2"))
    outcomes = ours.run(issue("I1", 5, due="2026-06-10"), issue("I2", 5, due="2026-06-10"), move("B"))
    assert [code(outcome) for outcome in outcomes] == ["already_exists", "accepted", "accepted"]


def test_a_taken_claim_stays_known_through_further_conflicts(ours: Process, theirs: Process) -> None:
    theirs.run(register_client("C2"), issue("I1", 5, due="2026-06-10", client="C2"))
    appends: list[int] = []
    ours.ledger.before_append = lambda: appends.append(1) or (len(appends) == 2 and theirs.run(move("B")))
    outcomes = ours.run(issue("I1", 5, due="2026-06-10"), move("C"))
    assert [code(outcome) for outcome in outcomes] == ["already_exists", "accepted"]
    assert len(appends) == 3


def test_a_command_that_others_applied_meanwhile_is_answered_as_a_repeat(ours: Process, theirs: Process) -> None:
    call = log_interaction("call", command_id="k1")
    ours.meanwhile(lambda: theirs.run(call))
    [outcome] = ours.run(call)
    assert isinstance(outcome, Accepted)
    assert outcome.replayed
    assert [entry.event.type for entry in ours.ledger.log.entries].count("interaction.logged") == 1


def test_a_repeat_at_another_process_is_known(ours: Process, theirs: Process) -> None:
    [first] = theirs.run(move("B", deal="D1").model_copy(update={"command_id": "k1"}))
    [again] = ours.run(move("B", deal="D1").model_copy(update={"command_id": "k1"}))
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert (again.replayed, again.position, again.events) == (True, first.position, first.events)


def test_a_refusal_on_a_stale_cache_is_decided_again(ours: Process, theirs: Process) -> None:
    assert [code(outcome) for outcome in ours.run(ship(5))] == ["insufficient_stock"]
    theirs.run(receive(5))
    assert [code(outcome) for outcome in ours.run(ship(5))] == ["accepted"]


def test_a_refusal_on_what_did_not_exist_is_decided_again(ours: Process, theirs: Process) -> None:
    assert [code(outcome) for outcome in ours.run(open_deal("D2", client="C2"))] == ["not_found"]
    theirs.run(register_client("C2"))
    assert [code(outcome) for outcome in ours.run(open_deal("D2", client="C2"))] == ["accepted"]


def test_an_atomic_batch_refused_on_a_stale_cache_is_decided_again(ours: Process, theirs: Process) -> None:
    ours.run(ship(5))
    theirs.run(receive(5))
    outcomes = ours.run(ship(3), ship(2), options=ATOMIC)
    assert [code(outcome) for outcome in outcomes] == ["accepted", "accepted"]


def test_an_atomic_batch_is_kept_out_by_a_conflict_that_refuses_one(ours: Process, theirs: Process) -> None:
    theirs.run(receive(5))
    ours.meanwhile(lambda: theirs.run(ship(4)))
    outcomes = ours.run(ship(1), ship(1), options=ATOMIC)
    assert [code(outcome) for outcome in outcomes] == ["batch_refused", "insufficient_stock"]
    assert [entry.event.type for entry in ours.ledger.log.entries].count("stock.shipped") == 1


def test_two_processes_never_sell_the_same_lamp_twice(ours: Process, theirs: Process) -> None:
    theirs.run(receive(1))
    ours.meanwhile(lambda: theirs.run(ship(1)))
    assert [code(outcome) for outcome in ours.run(ship(1))] == ["insufficient_stock"]


def test_two_processes_never_pay_the_same_debt_twice(ours: Process, theirs: Process) -> None:
    theirs.run(issue("I1", 100, due="2026-06-10"))
    ours.meanwhile(lambda: theirs.run(pay(100, payment="Z1", allocate="oldest")))
    [outcome] = ours.run(pay(100, payment="Z2", allocate="oldest"))
    assert isinstance(outcome, Accepted)
    assert [event.type for event in outcome.events] == ["payment.received"]


def test_who_is_late_every_time_is_told_so(ours: Process, theirs: Process) -> None:
    ours.meanwhile(lambda: theirs.run(log_interaction("call"), pay(1, payment=next(names))), times=1000)
    names = map("Z{}".format, count(1))
    [outcome] = ours.run(issue("I1", 5, due="2026-06-10"))
    assert code(outcome) == "conflict"
    assert len([e for e in ours.ledger.log.entries if e.event.type == "payment.received"]) == ATTEMPTS


def test_after_a_commit_the_cache_is_so(ours: Process, theirs: Process) -> None:
    assert theirs is not ours
    ours.run(move("B"))
    ours.ledger.fetched.clear()
    assert [code(outcome) for outcome in ours.run(move("C"))] == ["accepted"]
    assert ours.ledger.fetched == []


def test_a_day_is_one_of_the_ledgers_time_zone(log: Log) -> None:
    bus = Bus(MemoryLedger(log), lambda: TODAY, lambda: "new", ZoneInfo("Pacific/Kiritimati"))
    bus.execute([register_client("C1", effective_at="2026-05-31T11:00:00Z")])
    assert log.entries[0].on.isoformat() == "2026-06-01"


def test_a_batch_may_touch_more_streams_than_the_cache_keeps(ours: Process) -> None:
    ours.ledger.cache_size = 2
    outcomes = ours.run(*(register_client(f"C{number}") for number in range(20)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
