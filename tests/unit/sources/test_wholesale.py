from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from infra.sources.source import Command
from infra.sources.wholesale import Wholesale
from tests.unit.sources.books import moments, of

STAGES = ["lead", "qualified", "offer", "negotiation"]
AS_OF = date(2017, 3, 31)


@pytest.fixture(scope="module")
def commands() -> list[Command]:
    return list(Wholesale().commands())


def test_debts_of_every_age_are_open_at_the_end(commands: list[Command]) -> None:
    rest = {c["invoice"]: Decimal(str(c["amount"])) for c in of(commands, "invoice.issue")}
    due = {c["invoice"]: date.fromisoformat(str(c["due_on"])) for c in of(commands, "invoice.issue")}
    unapplied = Decimal(0)
    for payment in of(commands, "payment.receive"):
        for part in payment.get("allocate", ()):
            rest[part["invoice"]] -= Decimal(part["amount"])
        if "allocate" not in payment:
            unapplied -= Decimal(str(payment["amount"]))
    days = {invoice: (AS_OF - due[invoice]).days for invoice in due}
    ages = {"current": (-400, 0), "d1_30": (1, 30), "d31_60": (31, 60), "d61_90": (61, 90), "over_90": (91, 400)}
    found = {
        name: sum(open_ for invoice, open_ in rest.items() if first <= days[invoice] <= last)
        for name, (first, last) in ages.items()
    }
    assert min(found.values()) > 0
    assert Wholesale().totals().ageing == {**found, "unapplied": unapplied, "balance": sum(rest.values()) + unapplied}
    assert unapplied < 0


def test_deals_go_one_stage_at_a_time_and_are_won_from_the_last(commands: list[Command]) -> None:
    standing: dict[object, int] = {}
    for command in of(commands, "deal.open", "deal.move", "deal.win"):
        before = standing.get(command["deal"], -1)
        now = STAGES.index(str(command["stage"])) if "stage" in command else len(STAGES)
        assert now == before + 1
        standing[command["deal"]] = now


def test_deals_stand_in_every_stage_and_are_lost_for_every_reason(commands: list[Command]) -> None:
    closed = {command["deal"] for command in of(commands, "deal.win", "deal.lose")}
    stage = {command["deal"]: command["stage"] for command in of(commands, "deal.open", "deal.move")}
    standing = Counter(stage[deal] for deal in stage.keys() - closed)
    assert min(standing[name] for name in STAGES) > 0
    assert {c["reason"] for c in of(commands, "deal.lose")} == {"price", "competitor", "no budget"}
    assert {c["reason"] for c in of(commands, "stock.write_off")} == {"damage", "shortage", "expiry"}


def test_the_books_are_in_order_of_time_and_end_with_the_quarter(commands: list[Command]) -> None:
    assert moments(commands) == sorted(moments(commands))
    assert moments(commands)[-1] <= "2017-03-31T23:59:59Z"


def test_a_company_played_twice_does_the_same(commands: list[Command]) -> None:
    assert list(Wholesale().commands()) == commands


@pytest.mark.parametrize("clients", [1, 7, 60])
def test_any_number_of_clients_will_do(clients: int) -> None:
    assert Wholesale(clients).totals().clients == clients
