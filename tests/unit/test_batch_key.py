"""A batch that came with a key is done once, whatever is sent again under it."""

import pytest

from commands.batch_key import BatchKey
from commands.bus import Bus, Options
from tests.unit.given import TODAY
from tests.unit.memory_ledger import MemoryLedger
from tests.unit.test_bus import Run, accepted, codes, ledger, run, types
from tests.unit.words import open_deal, register_client

__all__ = ["ledger", "run"]

KEY = BatchKey("k", "one")
ANOTHER = BatchKey("k", "another")


def keyed(key: BatchKey = KEY, mode: str = "independent") -> Options:
    return Options("atomic" if mode == "atomic" else "independent", key=key)


@pytest.mark.parametrize("mode", ["independent", "atomic"])
def test_a_repeat_is_answered_the_same(run: Run, ledger: MemoryLedger, mode: str) -> None:
    batch = [register_client(f"C{n}", command_id=KEY.id_of_line(n)) for n in (1, 2)]
    first = [accepted(each) for each in run(*batch, options=keyed(mode=mode))]
    again = [accepted(each) for each in run(*batch, options=keyed(mode=mode))]
    assert [(each.position, each.events, each.replayed) for each in again] == [
        (each.position, each.events, True) for each in first
    ]
    assert len(ledger.log.entries) == 2


def test_another_batch_is_refused_line_by_line_whichever_of_the_first_was_applied(
    run: Run, ledger: MemoryLedger
) -> None:
    assert codes(run(open_deal(), register_client("C1"), options=keyed())) == ["not_found", "accepted"]
    assert codes(run(register_client("C1"), options=keyed(ANOTHER))) == ["command_id_reused"]
    more = run(register_client("C2"), register_client("C3"), register_client("C4"), options=keyed(ANOTHER))
    assert codes(more) == ["command_id_reused"] * 3
    assert types(ledger) == ["client.registered"]


def test_another_atomic_batch_is_refused_as_a_whole(run: Run) -> None:
    run(register_client("C1"), options=keyed(mode="atomic"))
    outcomes = run(register_client("C2"), register_client("C3"), options=keyed(ANOTHER, "atomic"))
    assert codes(outcomes) == ["command_id_reused"] * 2


def test_a_batch_of_which_nothing_was_applied_leaves_its_key_free(run: Run) -> None:
    assert codes(run(open_deal(), options=keyed())) == ["not_found"]
    assert codes(run(register_client(), options=keyed(ANOTHER))) == ["accepted"]


def test_a_batch_that_was_broken_off_is_finished_by_its_repeat(run: Run, ledger: MemoryLedger) -> None:
    batch = [register_client(f"C{n}", command_id=KEY.id_of_line(n)) for n in range(4)]
    run(*batch[:2], options=keyed())
    again = [accepted(each) for each in run(*batch, options=keyed())]
    assert [each.replayed for each in again] == [True, True, False, False]
    assert len(ledger.log.entries) == 4


def test_two_at_once_under_one_key_are_one(run: Run, ledger: MemoryLedger) -> None:
    def another_is_first() -> None:
        ledger.before_append = bool
        Bus(ledger, lambda: TODAY, str).execute([register_client("C1", command_id="a")], keyed(ANOTHER))

    ledger.before_append = another_is_first
    assert codes(run(register_client("C2", command_id="b"), options=keyed())) == ["command_id_reused"]
    assert len(ledger.log.entries) == 1


def test_a_dry_run_leaves_the_key_free(run: Run, ledger: MemoryLedger) -> None:
    [tried] = run(register_client(), options=Options(dry_run=True, key=KEY))
    assert accepted(tried).position is None
    assert not ledger.log.known
    assert codes(run(register_client(), options=keyed(ANOTHER))) == ["accepted"]


def test_ids_of_lines_follow_from_key_and_number_alone() -> None:
    assert KEY.id_of_line(1) == ANOTHER.id_of_line(1)
    ids = {BatchKey(key, "").id_of_line(n) for key in ("k", "k1") for n in (1, 11)} | {KEY.id}
    assert len(ids) == 5
