"""The bus: each command once, together where they belong together."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from commands.bus import Accepted, Bus, Options, Outcome, Refused
from commands.command import Command
from commands.ports import Unavailable
from tests.unit.given import TODAY, command
from tests.unit.memory_ledger import MemoryLedger
from tests.unit.words import define_pipeline, move, open_deal, register_client

PLAIN = Options()
ATOMIC = Options(mode="atomic")
DRY = Options(dry_run=True)

Run = Callable[..., list[Outcome]]


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture(params=["execute", "execute_async"])
def run(request: pytest.FixtureRequest, ledger: MemoryLedger) -> Run:
    """Both ways of having commands decided; each test holds for both."""
    numbers = iter(range(1, 1000))
    bus = Bus(ledger, lambda: TODAY, lambda: f"new-{next(numbers)}")

    def run(*commands: Command, options: Options = PLAIN) -> list[Outcome]:
        if request.param == "execute":
            return bus.execute(commands, options)
        return asyncio.run(bus.execute_async(commands, options))

    return run


def accepted(outcome: Outcome) -> Accepted:
    assert isinstance(outcome, Accepted), outcome
    return outcome


def codes(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.refusal.code if isinstance(outcome, Refused) else "accepted" for outcome in outcomes]


def types(ledger: MemoryLedger) -> list[str]:
    return [entry.event.type for entry in ledger.log.entries]


def test_a_command_is_answered_with_where_its_events_stand(run: Run) -> None:
    [outcome] = run(register_client(command_id="k1"))
    answer = accepted(outcome)
    [event] = answer.events
    assert (answer.command_id, answer.position, answer.replayed) == ("k1", 1, False)
    assert (event.position, event.type, event.stream, event.version) == (1, "client.registered", "client-C1", 1)


def test_the_position_is_that_of_the_last_event(run: Run) -> None:
    invoice = command("invoice.issue", invoice="I1", client="C1", amount="5", currency="EUR", due_on="2026-06-10")
    payment = command("payment.receive", client="C1", amount="5", currency="EUR", allocate="oldest")
    *_, paid = run(register_client(), invoice, payment)
    assert accepted(paid).position == 4
    assert [event.position for event in accepted(paid).events] == [3, 4]


def test_no_commands_have_no_outcomes(run: Run, ledger: MemoryLedger) -> None:
    assert run() == []
    assert not ledger.log.entries


def test_a_command_without_an_id_gets_one(run: Run) -> None:
    first, second = run(register_client("C1"), register_client("C2"))
    assert first.command_id != second.command_id


def test_a_repeat_is_answered_the_same_and_does_nothing(run: Run, ledger: MemoryLedger) -> None:
    [first] = run(register_client(command_id="k1"))
    [again] = run(register_client(command_id="k1"))
    assert accepted(again).replayed
    assert (again.position, again.events) == (accepted(first).position, accepted(first).events)
    assert len(ledger.log.entries) == 1


def test_a_repeat_of_what_has_a_made_id_is_answered_with_that_id(run: Run) -> None:
    new = command("client.register", name="Anna", command_id="k1")
    [first] = run(new)
    [again] = run(new)
    assert accepted(again).events == accepted(first).events


def test_a_repeat_that_nothing_would_refuse_is_known_by_its_id(run: Run, ledger: MemoryLedger) -> None:
    run(register_client())
    call = command("interaction.log", client="C1", kind="call", command_id="k1")
    run(call)
    [again] = run(call)
    assert accepted(again).replayed
    assert types(ledger).count("interaction.logged") == 1


def test_a_dry_run_of_a_known_id_is_answered_as_a_repeat(run: Run, ledger: MemoryLedger) -> None:
    [first] = run(register_client(command_id="k1"))
    [again] = run(register_client(command_id="k1"), options=DRY)
    assert accepted(again).replayed
    assert (again.position, again.events) == (accepted(first).position, accepted(first).events)
    assert codes(run(register_client("C2", command_id="k1"), options=DRY)) == ["command_id_reused"]
    assert len(ledger.log.entries) == 1


def test_the_same_id_with_another_body_is_refused(run: Run, ledger: MemoryLedger) -> None:
    run(register_client("C1", command_id="k1"))
    assert codes(run(register_client("C2", command_id="k1"))) == ["command_id_reused"]
    assert len(ledger.log.entries) == 1


def test_the_id_of_a_refused_command_is_free(run: Run) -> None:
    assert codes(run(open_deal(command_id="k1"))) == ["not_found"]
    assert codes(run(register_client(), define_pipeline())) == ["accepted", "accepted"]
    assert codes(run(open_deal(command_id="k1"))) == ["accepted"]


def test_a_repeat_inside_a_batch_is_answered_the_same(run: Run, ledger: MemoryLedger) -> None:
    first, again = run(register_client(command_id="k1"), register_client(command_id="k1"))
    assert accepted(again).replayed
    assert not accepted(first).replayed
    assert accepted(again).position == accepted(first).position == 1
    assert len(ledger.log.entries) == 1


def test_an_id_used_twice_inside_a_batch_for_two_requests_is_refused(run: Run, ledger: MemoryLedger) -> None:
    outcomes = run(register_client("C1", command_id="k1"), register_client("C2", command_id="k1"))
    assert codes(outcomes) == ["accepted", "command_id_reused"]
    assert len(ledger.log.entries) == 1


def test_each_command_of_a_batch_sees_what_the_ones_before_it_have_written(run: Run) -> None:
    batch = (register_client(), define_pipeline("strict"), open_deal(), move("B"), move("C"), move("A"))
    assert codes(run(*batch)) == ["accepted"] * 5 + ["stage_not_allowed"]


def test_in_an_independent_batch_a_refusal_spoils_nothing_but_itself(run: Run, ledger: MemoryLedger) -> None:
    outcomes = run(register_client("C1"), open_deal(), register_client("C2"))
    assert codes(outcomes) == ["accepted", "not_found", "accepted"]
    assert [accepted(outcome).position for outcome in outcomes if isinstance(outcome, Accepted)] == [1, 2]
    assert types(ledger) == ["client.registered"] * 2


def test_a_command_that_is_refused_half_way_has_written_nothing(run: Run, ledger: MemoryLedger) -> None:
    run(register_client())
    allocation = [{"invoice": "I9", "amount": "1"}]
    payment = command("payment.receive", client="C1", amount="5", currency="EUR", allocate=allocation, payment="Z1")
    again = command("payment.receive", client="C1", amount="5", currency="EUR", payment="Z1")
    assert codes(run(payment, again)) == ["not_found", "accepted"]
    assert ledger.log.entries[-1].originator_version == 1
    assert types(ledger) == ["client.registered", "payment.received"]


def test_an_atomic_batch_is_all(run: Run, ledger: MemoryLedger) -> None:
    assert codes(run(register_client("C1"), register_client("C2"), options=ATOMIC)) == ["accepted"] * 2
    assert len(ledger.log.entries) == 2


def test_an_atomic_batch_is_none(run: Run, ledger: MemoryLedger) -> None:
    outcomes = run(register_client("C1"), open_deal(), register_client("C2"), options=ATOMIC)
    assert codes(outcomes) == ["batch_refused", "not_found", "batch_refused"]
    assert not ledger.log.entries
    assert codes(run(register_client("C1"))) == ["accepted"]


def test_an_atomic_batch_can_be_repeated(run: Run, ledger: MemoryLedger) -> None:
    batch = (register_client("C1", command_id="k1"), register_client("C2", command_id="k2"))
    first = run(*batch, options=ATOMIC)
    again = run(*batch, options=ATOMIC)
    assert [accepted(outcome).replayed for outcome in again] == [True, True]
    assert [accepted(outcome).position for outcome in again] == [accepted(outcome).position for outcome in first]
    assert len(ledger.log.entries) == 2


def test_a_dry_run_decides_and_appends_nothing(run: Run, ledger: MemoryLedger) -> None:
    outcomes = run(register_client("C1"), open_deal(), options=DRY)
    assert codes(outcomes) == ["accepted", "not_found"]
    answer = accepted(outcomes[0])
    assert answer.position is None
    assert [(event.position, event.type, event.version) for event in answer.events] == [(None, "client.registered", 1)]
    assert not ledger.log.entries
    assert codes(run(register_client("C1"))) == ["accepted"]


@pytest.mark.parametrize(("version", "code"), [(0, "conflict"), (1, "accepted"), (2, "conflict")])
def test_the_expected_version_is_that_of_the_stream(run: Run, version: int, code: str) -> None:
    run(register_client(), define_pipeline(), open_deal())
    [outcome] = run(command("deal.move", deal="D1", stage="B", expected_version=version))
    assert codes([outcome]) == [code]
    if isinstance(outcome, Refused):
        assert outcome.refusal.facts == {"stream": "deal-D1", "version": 1, "expected_version": version}


def test_a_new_stream_is_expected_at_nothing(run: Run) -> None:
    assert codes(run(register_client("C1", expected_version=0))) == ["accepted"]
    assert codes(run(register_client("C2", expected_version=1))) == ["conflict"]


def test_the_expected_version_is_of_the_first_stream_written_and_not_checked_again(run: Run) -> None:
    invoice = command("invoice.issue", invoice="I1", client="C1", amount="5", currency="EUR", due_on="2026-06-10")
    run(register_client(), invoice)
    paid = command("payment.receive", client="C1", amount="5", currency="EUR", allocate="oldest", expected_version=1)
    assert codes(run(paid)) == ["accepted"]


def test_metadata_tell_who_and_why(run: Run, ledger: MemoryLedger) -> None:
    new = register_client(command_id="k1", reason="asked for", correlation_id="r1")
    run(new, options=Options(actor="eve"))
    [entry] = ledger.log.entries
    assert entry.metadata == {"command_id": "k1", "actor": "eve", "reason": "asked for", "correlation_id": "r1"}


def test_an_effective_time_is_now_unless_told(run: Run, ledger: MemoryLedger) -> None:
    run(register_client("C1"), register_client("C2", effective_at="2026-01-01T23:30:00-02:00"))
    told = datetime(2026, 1, 2, 1, 30, tzinfo=UTC)
    assert [entry.effective_at for entry in ledger.log.entries] == [TODAY, told]
    assert [entry.on.isoformat() for entry in ledger.log.entries] == ["2026-06-01", "2026-01-02"]


def test_a_ledger_that_cannot_be_reached_is_an_error_and_no_refusal(run: Run, ledger: MemoryLedger) -> None:
    ledger.available = False
    with pytest.raises(Unavailable):
        run(register_client())


def test_what_is_to_be_new_is_not_looked_for(ledger: MemoryLedger, run: Run) -> None:
    run(register_client("C1"))
    assert "client-C1" not in ledger.fetched


def test_what_was_taken_for_new_and_is_not_is_refused(ledger: MemoryLedger, run: Run) -> None:
    run(register_client("C1"))
    ledger.evict(["client-C1"])
    [outcome] = run(register_client("C1", name="Another"))
    assert isinstance(outcome, Refused)
    assert outcome.refusal.code == "already_exists"


def test_a_dry_run_looks_for_what_is_to_be_new(ledger: MemoryLedger, run: Run) -> None:
    run(register_client("C1"))
    ledger.evict(["client-C1"])
    [outcome] = run(register_client("C1", name="Another"), options=DRY)
    assert isinstance(outcome, Refused)
