"""Who waits for readers tries again and again, and leaves them most of the time to themselves."""

from itertools import pairwise

import pytest

from infra.postgres import giving_way
from infra.postgres.giving_way import NOT_NOW, sooner_or_later


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    rests = list[float]()
    monkeypatch.setattr(giving_way, "sleep", rests.append)
    return rests


def failing(times: int) -> list[int]:
    """The tries that are left, the last of which succeeds."""
    return list(range(times, -1, -1))


def tried(left: list[int]) -> str:
    if left.pop(0):
        raise NOT_NOW
    return "done"


def test_what_succeeds_is_tried_once(rests: list[float]) -> None:
    left = failing(0)
    assert sooner_or_later(lambda: tried(left), "it") == "done"
    assert rests == []


def test_the_rests_grow_until_tries_take_a_twentieth_of_the_time(rests: list[float]) -> None:
    left = failing(20)
    assert sooner_or_later(lambda: tried(left), "it") == "done"
    assert all(after > before for before, after in pairwise(rests[:12]))
    assert rests[12:] == [2.0] * 8


def test_what_goes_wrong_otherwise_is_not_tried_again(rests: list[float]) -> None:
    with pytest.raises(ZeroDivisionError):
        sooner_or_later(lambda: 1 / 0, "it")
    assert rests == []


def test_a_long_wait_is_told_once(rests: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    left = failing(20)
    sooner_or_later(lambda: tried(left), "generation 2 of stock")
    assert len(rests) == 20
    assert capsys.readouterr().out.count("generation 2 of stock") == 1
