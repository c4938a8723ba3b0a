"""A projection that halts says so once, and once that it goes on."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from threading import Event, Thread
from time import monotonic, sleep

import pytest
from structlog.testing import capture_logs

from commands.ports import Unavailable
from consumers import runner, watched
from consumers.runner import QUIET, Runner
from infra.health import HALTED, Health
from projections import PROJECTIONS
from projections.projection import Projection

PROJECTION = PROJECTIONS[0]
WORK = f"projection {PROJECTION.name}"
GENEROUS = 60.0


class Turning:
    """Does what it is told, turn by turn, and then nothing; notes what ails the process before each turn."""

    projection: Projection = PROJECTION

    def __init__(self, health: Health, *turns: int | Exception | Callable[[], int]) -> None:
        self._health = health
        self._turns = iter(turns)
        self.ailed: list[Sequence[str]] = []
        self.done = Event()

    def turn(self) -> int:
        self.ailed.append(list(self._health.ailing))
        turn = next(self._turns, None)
        if turn is None:
            self.done.set()
            return 0
        if isinstance(turn, Exception):
            raise turn
        return turn() if callable(turn) else turn

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _nobody_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "AFTER_AN_ERROR", 0.001)
    monkeypatch.setattr(watched, "REST", 0.001)


@pytest.fixture
def health() -> Iterator[Health]:
    yield Health()
    HALTED.clear()


def eventually(condition: Callable[[], object]) -> None:
    deadline = monotonic() + GENEROUS
    while not condition():
        assert monotonic() < deadline
        sleep(0.001)


def said(turning: Turning, health: Health, clock: Callable[[], float] = lambda: 0.0) -> list[str]:
    """What the log has once it has done all its turns."""
    with capture_logs() as logs:
        running = Runner([turning], health, (0.001, 0.001), clock)
        running.start()
        assert turning.done.wait(GENEROUS)
        running.stop()
    return [entry["event"] for entry in logs]


def test_a_cause_is_told_once_and_once_that_it_goes_on(health: Health) -> None:
    turning = Turning(health, 1, *[ValueError("no")] * 3, ValueError("worse"), ValueError("worse"), 5)
    assert said(turning, health) == [f"{WORK} halted", f"{WORK} halted", f"{WORK} goes on"]
    assert turning.ailed[:8] == [[], [], [WORK], [WORK], [WORK], [WORK], [WORK], []]
    assert HALTED.labels(WORK)._value.get() == 0


def test_one_that_halts_while_its_feed_still_looks_for_the_cause_does_not_go_on(health: Health) -> None:
    turning = Turning(health, ValueError("no"), 0, 0, ValueError("no"), 0, 0)
    assert said(turning, health) == [f"{WORK} halted"]
    assert health.ailing == {WORK: "no"}
    assert HALTED.labels(WORK)._value.get() == 1


def test_one_that_has_had_no_error_for_a_while_goes_on_though_there_was_nothing_to_do(health: Health) -> None:
    now = [0.0]

    def later() -> int:
        now[0] += QUIET
        return 0

    assert said(Turning(health, ValueError("no"), later, 0), health, lambda: now[0]) == [
        f"{WORK} halted",
        f"{WORK} goes on",
    ]


def test_who_waits_for_a_broker_has_not_halted(health: Health) -> None:
    turning = Turning(health, Unavailable("no broker"), Unavailable("no broker"), 1)
    assert said(turning, health) == [f"{WORK} waits", f"{WORK} goes on"]
    assert turning.ailed[-1] == []


def running(turning: Turning, health: Health, pauses: tuple[float, float], news: Callable[[], object]) -> Runner:
    made = Runner([turning], health, pauses, news=news)
    made.start()
    return made


def test_all_are_turned_when_there_is_news_and_else_seldom(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "REGULARLY", 0.2)
    turning, asked, position = Turning(health), [], [0]

    def news() -> int:
        asked.append(None)
        return position[0]

    looking = running(turning, health, (0.001, 0.001), news)
    eventually(lambda: len(turning.ailed) > 3)
    assert len(asked) > 2 * len(turning.ailed)
    monkeypatch.setattr(runner, "REGULARLY", GENEROUS)
    turned = len(turning.ailed)
    position[0] = 1
    eventually(lambda: len(turning.ailed) > turned)
    looking.stop()


def test_who_moved_or_failed_is_turned_again_without_news(health: Health) -> None:
    turning = Turning(health, 3, ValueError("no"), 3)
    looking = running(turning, health, (0.001, 0.001), lambda: 7)
    assert turning.done.wait(GENEROUS)
    looking.stop()
    assert len(turning.ailed) == 4


def test_what_is_booked_ends_a_long_rest(health: Health) -> None:
    turning = Turning(health)
    looking = running(turning, health, (GENEROUS, 2 * GENEROUS), count().__next__)
    for turns in (1, 2, 3):
        eventually(lambda turns=turns: looking._rests_long and len(turning.ailed) == turns)
        looking.stir()
    looking.stop()


def test_what_is_booked_just_after_a_batch_is_done_along_with_what_comes_next(health: Health) -> None:
    turning = Turning(health, 1)
    looking = running(turning, health, (GENEROUS, 2 * GENEROUS), count().__next__)
    eventually(lambda: turning.ailed)
    for _ in range(20):
        looking.stir()
        sleep(0.005)
    assert len(turning.ailed) == 1
    looking.stop()


def test_a_thread_that_dies_of_what_nobody_expected_begins_again() -> None:
    deaths = iter([ZeroDivisionError(), OSError("standard error is closed")])
    stopped = Event()

    def work() -> None:
        if death := next(deaths, None):
            raise death

    with capture_logs() as logs:
        thread: Thread = watched.watched("work", work, stopped)
        thread.start()
        thread.join(GENEROUS)
    assert not thread.is_alive()
    assert [entry["work"] for entry in logs] == ["work", "work"]
