"""What time it is, the database says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from infra.postgres.clock import DatabaseClock
from infra.telemetry import CLOCK_SKEW


@pytest.fixture(autouse=True)
def _no_skew() -> Iterator[None]:
    yield
    CLOCK_SKEW.set(0)


def test_a_machine_whose_clock_is_a_day_ahead_goes_by_the_databases() -> None:
    clock = DatabaseClock()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    clock.hear(clock.ask(), yesterday)
    assert yesterday <= clock.now() < yesterday + timedelta(hours=1)
    assert CLOCK_SKEW._value.get() == pytest.approx(86_400, abs=3_600)


def test_that_it_differs_is_told_once_and_that_it_agrees_again() -> None:
    clock = DatabaseClock()
    with capture_logs() as told:
        for days in (0, 1, 1, 0, 0):
            clock.hear(clock.ask(), datetime.now(UTC) + timedelta(days=days))
    assert [each["log_level"] for each in told] == ["error", "info"]


def test_it_goes_on_between_two_times_that_it_is_told() -> None:
    clock = DatabaseClock()
    clock.hear(clock.ask(), datetime(2026, 6, 1, tzinfo=UTC))
    first = clock.now()
    assert first <= clock.now() < first + timedelta(hours=1)


def test_what_was_told_quickly_counts_for_more() -> None:
    clock = DatabaseClock()
    true = datetime.now(UTC)
    clock.hear(clock.ask(), true)
    clock.hear(clock.ask() - 3, true - timedelta(seconds=1.5))
    assert clock.now() - true < timedelta(seconds=1)


def test_a_clock_that_was_set_is_believed_though_it_was_told_slowly() -> None:
    clock = DatabaseClock()
    true = datetime.now(UTC)
    clock.hear(clock.ask(), true)
    clock.hear(clock.ask() - 3, true + timedelta(days=1))
    assert clock.now() - true > timedelta(hours=23)


def test_the_latest_it_can_be_is_not_before_what_it_is() -> None:
    clock = DatabaseClock()
    asked = clock.ask()
    clock.hear(asked - 0.5, datetime.now(UTC))
    assert clock.latest() - clock.now() >= timedelta(seconds=0.2)
