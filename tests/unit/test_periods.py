"""period.close: through a day nothing is accepted any more."""

import pytest

from commands.bus import Refused
from commands.command import Command
from tests.unit.given import command, d, given, happened, refused, when
from tests.unit.words import issue, receive, register_client, register_product, register_warehouse


def close(through: str) -> Command:
    return command("period.close", through=through)


def test_nothing_with_an_earlier_effective_date_is_accepted_any_more() -> None:
    given(register_product(), register_warehouse(), close("2026-04-30"))
    when(receive(4, "2026-04-30"))
    refused("period_closed", on=d("2026-04-30"), closed_through=d("2026-04-30"))


def test_the_day_after_is_open() -> None:
    given(register_product(), register_warehouse(), close("2026-04-30"))
    when(receive(4, "2026-05-01"))
    happened("stock.received")


def test_what_was_recorded_before_the_closing_stays() -> None:
    given(register_client(), issue("I1", 100, "2026-04-10", "2026-04-01"), close("2026-04-30"))
    when(issue("I2", 100, "2026-06-10"))
    happened("invoice.issued")


def test_a_command_of_a_closed_period_is_not_accepted_because_its_event_takes_effect_later() -> None:
    given(register_client(), issue("I1", 100, "2026-06-10", "2026-05-10"), close("2026-04-30"))
    when(command("invoice.credit", "2026-04-10", invoice="I1", amount="1.00", reason="late"))
    refused("period_closed", on=d("2026-04-10"))


def test_a_batch_that_closes_a_period_sees_it_closed_from_then_on() -> None:
    given(register_product(), register_warehouse())
    *_, late = when(receive(1, "2026-04-10"), close("2026-04-30"), receive(2, "2026-04-10"))
    happened("stock.received", "period.closed")
    assert isinstance(late, Refused)
    assert late.refusal.code == "period_closed"


@pytest.mark.parametrize("through", ["2026-04-30", "2026-03-31"])
def test_a_period_is_not_closed_twice(through: str) -> None:
    given(close("2026-04-30"))
    when(close(through))
    refused("period_closed", closed_through=d("2026-04-30"))


@pytest.mark.parametrize("through", ["2026-06-01", "2026-06-02"])
def test_what_is_not_over_is_not_closed(through: str) -> None:
    when(close(through))
    refused("invalid", field="through", on=d("2026-06-01"))
