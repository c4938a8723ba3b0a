"""Read models are checked now and then by the one process that has the baton."""

from collections.abc import Callable, Iterator
from threading import Event
from time import monotonic

import pytest

from api import checking
from infra.postgres.checks import CHECKS, Checked, Report, Violation
from infra.telemetry import CHECK_VIOLATIONS, CHECKED_AT
from projections import PROJECTIONS
from projections.projection import Projection
from tests.unit.test_reference import REFERENCE

VIOLATION = Violation("stock", "balances", {"table": "stock_balance", "lot": None}, "on_hand", "5", "4", [3, 7])


class Stub:
    """Baton and checks at once; ``turns`` is how often another has the baton first, ``lost_after`` what has been looked
    at when it is lost for a moment. Each look takes so many ``seconds``."""

    def __init__(self, turns: int = 0, lost_after: str = "", seconds: float = 0.0, unchecked: str = "") -> None:
        self.turns, self.lost_after, self.seconds, self.unchecked = turns, lost_after, seconds, unchecked
        self.done: list[str] = []
        self.asked = 0
        self.round_done = Event()

    def take(self) -> bool:
        self.done.append("asked")
        self.turns -= 1
        return self.turns < 0

    def held(self) -> bool:
        self.asked += 1
        if self.lost_after and self.done[-1] == self.lost_after:
            self.turns = 2
            self.done.append("lost")
        return self.turns < 0

    def let_go(self) -> None: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...

    def book(self, _: int, progress: Callable[[int], object]) -> Report:
        progress(1)
        return Report("book", 0, [], 0.0)

    def run(self, projection: Projection, _: int, progress: Callable[[int], object]) -> Report:
        self.done.append(projection.name)
        progress(1)
        broken = [VIOLATION] if projection.name == "stock" else []
        checked = [Checked("balances", "", 3 * len(broken), broken)]
        return Report(projection.name, 9, checked if projection.name != self.unchecked else [], self.seconds)

    def refold(
        self, _: object, projection: Projection, __: int, between: Callable[[int, float], object] = lambda *_: None
    ) -> Report:
        self.done.append(f"{projection.name} refolded")
        between(9, self.seconds)
        if projection is PROJECTIONS[-1]:
            self.round_done.set()
        checked = [Checked("rebuilt", "", 2 * (projection.name == "stock"), [])]
        return Report(projection.name, 9, checked if projection.name != self.unchecked else [], self.seconds)


NAMES = [projection.name for projection in PROJECTIONS]
ROUND = NAMES + [f"{name} refolded" for name in NAMES]


@pytest.fixture(autouse=True)
def _no_figures() -> Iterator[None]:
    CHECK_VIOLATIONS.clear()
    yield
    CHECK_VIOLATIONS.clear()


def figures() -> dict[tuple[str, str], float]:
    """By projection and invariant."""
    [metric] = CHECK_VIOLATIONS.collect()
    return {(each.labels["projection"], each.labels["invariant"]): each.value for each in metric.samples}


def patrol(monkeypatch: pytest.MonkeyPatch, stub: Stub, every_s: float = 0.001) -> checking.Patrol:
    monkeypatch.setattr(checking, "PostgresBaton", lambda *_, **__: stub)
    monkeypatch.setattr(checking, "Checks", lambda *_: stub)
    monkeypatch.setattr(checking, "refold", stub.refold)
    monkeypatch.setattr(checking, "LOOK_EVERY_S", 0.001)
    return checking.Patrol(None, every_s)  # type: ignore[arg-type]


def watched(monkeypatch: pytest.MonkeyPatch, stub: Stub) -> Stub:
    """Until a round is done."""
    watch = patrol(monkeypatch, stub)
    watch.start()
    assert stub.round_done.wait(30)
    watch.stop()
    return stub


def test_who_has_not_the_baton_checks_nothing_until_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    done = watched(monkeypatch, Stub(turns=3)).done
    assert done[: 4 + len(ROUND)] == ["asked"] * 4 + ROUND


def test_what_was_found_is_in_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    watched(monkeypatch, Stub())
    told = figures()
    assert (told["stock", "balances"], told["deals", "balances"]) == (3, 0)
    assert (told["stock", "rebuilt"], told["deals", "rebuilt"]) == (2, 0)


def test_one_that_is_not_checked_any_more_has_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    CHECK_VIOLATIONS.labels("stock", "balances").set(3)
    watched(monkeypatch, Stub(unchecked="stock"))
    told = figures()
    assert ("deals", "balances") in told
    assert not [name for name, _ in told if name == "stock"]


def test_who_stands_by_has_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    CHECK_VIOLATIONS.labels("stock", "balances").set(3)
    stub, told = Stub(), list[object]()
    watch = patrol(monkeypatch, stub)

    def take() -> bool:
        told.append(figures())
        if len(told) == 2:
            stub.round_done.set()
        return False

    monkeypatch.setattr(stub, "take", take)
    monkeypatch.setattr(stub, "held", lambda: False)
    watch.start()
    assert stub.round_done.wait(30)
    watch.stop()
    assert told[:2] == [{("stock", "balances"): 3}, {}]


@pytest.mark.parametrize("last", ["timeline", "deals refolded"])
def test_a_round_ends_with_the_baton_and_is_begun_again_by_who_has_it_back(
    monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    stub = Stub(lost_after=last, seconds=0.002)
    had: list[object] = []
    take = stub.take

    def takes() -> bool:
        had.append(figures())
        taken = take()
        if "lost" in stub.done:
            stub.lost_after = ""
        return taken

    monkeypatch.setattr(stub, "take", takes)
    watched(monkeypatch, stub)
    before = ["asked", *ROUND[: ROUND.index(last) + 1]]
    assert stub.done[: len(before) + 4 + len(ROUND)] == [*before, "lost", *["asked"] * 3, *ROUND]
    assert had[1:4] == [{}, {}, {}]


def test_it_rests_as_long_as_it_works_and_keeps_the_baton_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    stub, begun = Stub(seconds=0.02), monotonic()
    CHECKED_AT.set(0)
    watched(monkeypatch, stub)
    assert monotonic() - begun >= 0.02 * (len(ROUND) - 1)
    assert stub.asked > 3 * len(ROUND)


def test_it_stops_in_the_middle_of_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub(seconds=3600)
    watch = patrol(monkeypatch, stub)
    monkeypatch.setattr(checking, "LOOK_EVERY_S", 3600)
    monkeypatch.setattr(stub, "held", lambda: stub.round_done.set() or True)
    watch.start()
    assert stub.round_done.wait(30)
    watch.stop()
    assert stub.done == ["asked", NAMES[0]]


def test_it_keeps_the_baton_while_nothing_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub()
    monkeypatch.setattr(checking, "FIRST_AFTER_S", 3600.0)
    watch = patrol(monkeypatch, stub, every_s=3600)
    monkeypatch.setattr(stub, "take", lambda: stub.round_done.set() or True)
    watch.start()
    assert stub.round_done.wait(30)
    watch.stop()
    assert stub.done == []


def test_one_that_cannot_be_looked_at_keeps_nobody_from_looking_at_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub()
    run, failed = stub.run, Event()

    def fails_once(projection: Projection, most: int, progress: Callable[[int], object]) -> Report:
        if not failed.is_set():
            failed.set()
            raise OSError("away")
        return run(projection, most, progress)

    monkeypatch.setattr(stub, "run", fails_once)
    CHECKED_AT.set(0)
    watched(monkeypatch, stub)
    assert stub.done[: len(ROUND)] == ["asked", *ROUND[1:]]


def test_a_violation_is_a_sentence_with_its_cell_and_events() -> None:
    told = "stock breaks balances at table stock_balance, lot –: on_hand is 5, must be 4; events 3, 7."
    assert VIOLATION.sentence == told


def test_every_invariant_is_documented() -> None:
    page = (REFERENCE / "checks.md").read_text()
    names = {path.stem for path in CHECKS.rglob("*.sql")} | {"rebuilt"}
    assert [name for name in sorted(names) if f"| `{name}` |" not in page] == []
