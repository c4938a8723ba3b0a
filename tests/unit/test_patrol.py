"""Read models are checked now and then by the one process that has the baton."""

from threading import Event

import pytest

from api import checking
from infra.postgres.checks import CHECKS, Checked, Report, Violation
from infra.telemetry import CHECK_VIOLATIONS
from projections import PROJECTIONS
from projections.projection import Projection
from tests.unit.test_reference import REFERENCE

VIOLATION = Violation("stock", "balances", {"table": "stock_balance", "lot": None}, "on_hand", "5", "4", [3, 7])


class Stub:
    """Baton and checks at once; ``turns`` is how often another has the baton first."""

    def __init__(self, turns: int = 0) -> None:
        self.turns = turns
        self.done: list[str] = []
        self.round_done = Event()

    def take(self) -> bool:
        self.done.append("asked")
        self.turns -= 1
        return self.turns < 0

    def held(self) -> bool:
        return True

    def let_go(self) -> None: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...

    def run(self, projection: Projection, *_: object) -> Report:
        self.done.append(projection.name)
        broken = [VIOLATION] if projection.name == "stock" else []
        if projection is PROJECTIONS[-1]:
            self.round_done.set()
        return Report(projection.name, 9, [Checked("balances", "", 3 * len(broken), broken)], 0.0)


def patrol(monkeypatch: pytest.MonkeyPatch, stub: Stub, every_s: float = 0.001) -> checking.Patrol:
    monkeypatch.setattr(checking, "PostgresBaton", lambda *_: stub)
    monkeypatch.setattr(checking, "Checks", lambda *_: stub)
    monkeypatch.setattr(checking, "LOOK_EVERY_S", 0.001)
    return checking.Patrol(None, every_s)  # type: ignore[arg-type]


def test_who_has_not_the_baton_checks_nothing_until_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub(turns=3)
    watch = patrol(monkeypatch, stub)
    watch.start()
    assert stub.round_done.wait(30)
    watch.stop()
    assert stub.done[: 4 + len(PROJECTIONS)] == ["asked"] * 4 + [projection.name for projection in PROJECTIONS]


def test_what_was_found_is_in_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub()
    watch = patrol(monkeypatch, stub)
    watch.start()
    assert stub.round_done.wait(30)
    watch.stop()
    assert CHECK_VIOLATIONS.labels("stock", "balances")._value.get() == 3
    assert CHECK_VIOLATIONS.labels("deals", "balances")._value.get() == 0


def test_it_keeps_the_baton_while_nothing_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub()
    monkeypatch.setattr(checking, "FIRST_AFTER_S", 3600.0)
    watch = patrol(monkeypatch, stub, every_s=3600)
    monkeypatch.setattr(stub, "take", lambda: stub.round_done.set() or True)
    watch.start()
    assert stub.round_done.wait(30)
    watch.stop()
    assert stub.done == []


def test_a_round_that_fails_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub()
    watch = patrol(monkeypatch, stub)
    run, failed = stub.run, Event()

    def fails_once(*given: object) -> Report:
        if not failed.is_set():
            failed.set()
            raise OSError("away")
        return run(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(stub, "run", fails_once)
    watch.start()
    assert stub.round_done.wait(30)
    watch.stop()


def test_a_violation_is_a_sentence_with_its_cell_and_events() -> None:
    told = "stock breaks balances at table stock_balance, lot –: on_hand is 5, must be 4; events 3, 7."
    assert VIOLATION.sentence == told


def test_every_invariant_is_documented() -> None:
    page = (REFERENCE / "checks.md").read_text()
    names = {path.stem for path in CHECKS.rglob("*.sql")} | {"rebuilt"}
    assert [name for name in sorted(names) if f"| `{name}` |" not in page] == []
