from decimal import Decimal

import pytest

from infra.sources.completejourney import CompleteJourney
from infra.sources.source import DERIVED, Command
from tests.unit.sources.books import moments, of

SETUP = ("pipeline.define", "client.register", "warehouse.register", "product.register")


@pytest.fixture(scope="module")
def three_weeks() -> list[Command]:
    return list(CompleteJourney(weeks=3).commands())


def test_the_whole_year_is_the_file() -> None:
    totals = CompleteJourney().totals()
    assert (totals.lines, totals.invoices, totals.amount) == (1_469_307, 155_848, Decimal("4596039.58"))
    assert (totals.clients, totals.warehouses, totals.products) == (2_469, 457, 68_509)
    assert totals.lines - totals.shipments == 8_869
    assert (totals.deals, totals.left_out) == (6_589, 0)
    assert totals.received == totals.units


def test_a_longer_run_repeats_the_bodies_of_a_shorter_one() -> None:
    short = {command["command_id"]: command for command in CompleteJourney(weeks=1).commands()}
    repeated = 0
    for command in CompleteJourney(weeks=12).commands():
        if command["command_id"] in short:
            assert command == short[command["command_id"]]
            repeated += 1
    assert repeated == len(short)


def test_setup_comes_first_and_trade_follows_in_order_of_time(three_weeks: list[Command]) -> None:
    setup = len(of(three_weeks, *SETUP))
    assert {str(command["type"]) for command in three_weeks[:setup]} == set(SETUP)
    trade = moments(command for command in three_weeks[setup:] if command["type"] != "stock.receive")
    assert trade == sorted(trade)
    assert moments(three_weeks[:setup]) == sorted(moments(three_weeks[:setup]))


def test_derived_openings_are_labelled_and_before_all_sales(three_weeks: list[Command]) -> None:
    receipts = of(three_weeks, "stock.receive")
    assert {receipt["document"] for receipt in receipts} == {DERIVED}
    assert max(moments(receipts)) < min(moments(of(three_weeks, "stock.ship")))
    assert min(Decimal(str(receipt["unit_cost"])) for receipt in receipts) >= Decimal("0.01")


def test_a_basket_without_a_price_is_invoiced_and_not_paid(three_weeks: list[Command]) -> None:
    free = {c["invoice"] for c in of(three_weeks, "invoice.issue") if c["amount"] == "0.00"}
    paid = {c["payment"] for c in of(three_weeks, "payment.receive")}
    assert free
    assert not free & paid


def test_a_campaign_s_deal_lives_as_its_household_did(three_weeks: list[Command]) -> None:
    lives: dict[object, list[str]] = {}
    for command in three_weeks:
        if "deal" in command:
            lives.setdefault(command["deal"], []).append(str(command.get("stage") or command["type"]))
    assert {tuple(life) for life in lives.values()} == {
        ("sent",),
        ("sent", "shopped"),
        ("sent", "deal.lose"),
        ("sent", "shopped", "deal.lose"),
        ("sent", "shopped", "redeemed", "deal.win"),
    }


def test_campaigns_of_the_year_before_are_effective_when_they_were_sent(three_weeks: list[Command]) -> None:
    assert {moment[:10] for moment in moments(of(three_weeks, "deal.open"))} == {
        "2016-11-14",
        "2016-12-06",
        "2016-12-28",
    }


def test_nothing_happens_after_the_last_day_of_the_slice(three_weeks: list[Command]) -> None:
    assert max(moments(three_weeks))[:10] == "2017-01-16"


def test_a_slice_of_no_weeks_is_refused() -> None:
    with pytest.raises(ValueError, match="weeks"):
        CompleteJourney(weeks=0)
