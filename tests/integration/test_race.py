"""Positions are in order of commit: whoever has read position N has seen all of 1…N.

Writers of several processes race; some transactions stall before they commit, some writers are killed without notice;
readers tail the book all the while. The race itself is in bench/race.py, where it is run on other logs as well.
"""

import os
import random

import pytest

from bench.race import Result, race
from bench.sides import Library, Ours


@pytest.fixture
def seed() -> int:
    """``GROSSBUCH_SEED`` repeats a race, as far as a race can be repeated."""
    seed = int(os.environ.get("GROSSBUCH_SEED") or random.randrange(10**6))
    print(f"GROSSBUCH_SEED={seed}")  # noqa: T201
    return seed


def test_tailing_readers_see_every_event_once_and_in_order(dsn: str, seed: int) -> None:
    result = race(dsn, Ours(), seed=seed)
    assert [position for position, _, _ in result.book] == list(range(1, len(result.book) + 1))
    assert result.missed == result.twice == [0] * len(result.seen)
    assert all(seen == result.book for seen in result.seen)
    assert set(result.acknowledged) <= set(result.book)
    assert _versions_are_whole(result)


def test_the_race_catches_a_log_that_numbers_events_before_they_commit(dsn: str, seed: int) -> None:
    """The eventsourcing library's own fast mode. A race that it survives would prove nothing."""
    result = race(dsn, Library("fast", fast=True), events=6_000, kills=0, seed=seed)
    assert all(missed > 0 for missed in result.missed)


def _versions_are_whole(result: Result) -> bool:
    """Of a killed writer's batch all events are there, or none."""
    streams: dict[str, list[int]] = {}
    for _, stream, version in result.book:
        streams.setdefault(stream, []).append(version)
    return all(versions == list(range(1, len(versions) + 1)) for versions in streams.values())
