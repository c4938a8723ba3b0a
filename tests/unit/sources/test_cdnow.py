from collections import Counter
from decimal import Decimal

import pytest

from infra.sources.cdnow import Cdnow
from infra.sources.source import DERIVED, Command
from tests.unit.sources.books import moments, of


@pytest.fixture(scope="module")
def commands() -> list[Command]:
    return list(Cdnow().commands())


def test_the_whole_file_is_the_published_one() -> None:
    totals = Cdnow().totals()
    assert (totals.lines, totals.clients, totals.amount) == (69_659, 23_570, Decimal("2500315.63"))
    assert totals.received == totals.units


def test_duplicates_and_zero_amounts_are_kept(commands: list[Command]) -> None:
    sold = Counter(
        (invoice["client"], invoice["issued_on"], shipment["quantity"], invoice["amount"])
        for invoice, shipment in zip(of(commands, "invoice.issue"), of(commands, "stock.ship"), strict=True)
    )
    assert sum(times - 1 for times in sold.values()) == 255
    assert sum(times for (*_, amount), times in sold.items() if amount == "0.00") == 80
    assert len(of(commands, "payment.receive")) == 69_659 - 80


def test_purchases_come_in_order_of_time(commands: list[Command]) -> None:
    assert moments(commands) == sorted(moments(commands))


def test_one_derived_opening_holds_all_the_discs(commands: list[Command]) -> None:
    (opening,) = of(commands, "stock.receive")
    assert (opening["document"], opening["quantity"], opening["unit_cost"]) == (DERIVED, 167_881, "11.17")


def test_a_longer_run_repeats_the_bodies_of_a_shorter_one(commands: list[Command]) -> None:
    whole = {command["command_id"]: command for command in commands}
    assert all(whole[command["command_id"]] == command for command in Cdnow(limit=500).commands())
