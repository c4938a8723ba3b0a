"""Ageing and open items against a slow model, over histories that the domain has let through."""

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from commands.command import Command
from domain.aggregate import Entry
from domain.receivables import Account, Allocated, Issued, Received
from tests.properties.books import Books, entered
from tests.unit import given as scene
from tests.unit.words import issue, pay, register_client, to

FIRST = date(2026, 1, 1)
clients, counterparties, currencies = (st.sampled_from(names) for names in (["C1", "C2"], ["A", "B"], ["EUR", "USD"]))
amounts = st.integers(1, 300)
dates = st.integers(0, 150).map(lambda days: FIRST + timedelta(days=days))
noons = dates.map(str)


@st.composite
def invoices(draw: st.DrawFn, number: int) -> Command:
    parts = draw(st.lists(st.tuples(noons, amounts), min_size=1, max_size=3))
    terms = [{"due_on": due_on, "amount": str(amount)} for due_on, amount in parts]
    whose = {"client": draw(clients), "counterparty": draw(counterparties), "currency": draw(currencies)}
    total = sum(amount for _, amount in parts)
    return issue(f"I{number}", total, due=parts[0][0], on=draw(noons), terms=terms, **whose)


@st.composite
def payments(draw: st.DrawFn, number: int) -> Command:
    whose = {"client": draw(clients), "counterparty": draw(counterparties), "currency": draw(currencies)}
    named = st.lists(st.builds(to, st.integers(0, number).map("I{}".format), amounts), max_size=2)
    allocate = draw(st.just("oldest") | named)
    return pay(draw(amounts), draw(noons), payment=f"Z{number}", allocate=allocate, **whose)


@st.composite
def commands(draw: st.DrawFn) -> list[Command]:
    return [draw(invoices(n) | payments(n)) for n in range(draw(st.integers(0, 12)))]


def booked(commands: Sequence[Command]) -> list[Entry]:
    """What of it the domain has let through."""
    scene.begin()
    scene.given(register_client("C1"), register_client("C2"))
    for command in commands:
        scene.when(command)
    return scene.book()


Item = tuple[str, str, str, str, date | None]
"""Client, counterparty, currency, document, due date; a payment has none."""


def items(entries: Sequence[Entry], as_of: date) -> dict[Item, Decimal]:
    """What is open as of a day, by adding up one event after the other."""
    open: dict[Item, Decimal] = {}

    def add(e: Any, document: str, due_on: date | None, amount: Decimal) -> None:
        item = e.client, e.counterparty, e.currency, document, due_on
        open[item] = open.get(item, Decimal(0)) + amount

    for entry in entries:
        if entry.effective_at.astimezone(UTC).date() > as_of:
            continue
        match entry.event:
            case Issued() as e:
                for part in e.terms:
                    add(e, e.invoice, part.due_on, part.amount)
            case Received() as e:
                add(e, e.payment, None, -e.amount)
            case Allocated() as e:
                add(e, e.payment, None, e.amount)
                add(e, e.invoice, e.due_on, -e.amount)
    return {item: amount for item, amount in open.items() if amount}


def bucket(due_on: date | None, as_of: date) -> str:
    if due_on is None:
        return "unapplied"
    days = (as_of - due_on).days
    return next(name for name, most in BUCKETS.items() if days <= most)


BUCKETS = {"current": 0, "d1_30": 30, "d31_60": 60, "d61_90": 90, "over_90": 10**6}
COLUMNS = [*BUCKETS, "unapplied"]


@given(commands=commands(), as_of=dates, by=st.sampled_from(["client", "counterparty"]))
def test_ageing(books: Books, commands: list[Command], as_of: date, by: str) -> None:
    entries = booked(commands)
    books.wipe()
    books.project(entered(entries))
    expected: dict[tuple[str, str | None, str], dict[str, Decimal]] = {}
    for (client, counterparty, currency, _, due_on), amount in items(entries, as_of).items():
        key = client, counterparty if by == "counterparty" else None, currency
        row = expected.setdefault(key, dict.fromkeys(COLUMNS, Decimal(0)))
        row[bucket(due_on, as_of)] += amount
    rows = books.items("/v1/receivables/ageing", as_of=as_of, by=by)
    found = {
        (row["client"], row["counterparty"], row["currency"]): {name: row[name] for name in COLUMNS} for row in rows
    }
    assert found == expected
    assert len(found) == len(rows)


@given(commands=commands(), as_of=dates)
def test_buckets_and_unapplied_are_the_balance_and_the_registers_sum(
    books: Books, commands: list[Command], as_of: date
) -> None:
    books.wipe()
    books.project(entered(booked(commands)))
    rows = books.items("/v1/receivables/ageing", as_of=as_of, by="counterparty")
    assert all(sum(row[name] for name in COLUMNS) == row["balance"] for row in rows)
    sums = books.rows(
        "SELECT client, counterparty, currency, sum(amount) FROM receivables_movement WHERE effective_on <= %s"
        " GROUP BY 1, 2, 3 HAVING sum(amount) <> 0",
        as_of,
    )
    key = ("client", "counterparty", "currency", "balance")
    assert {tuple(row[name] for name in key) for row in rows if row["balance"]} == set(sums)


@given(commands=commands(), as_of=dates)
def test_open_items(books: Books, commands: list[Command], as_of: date) -> None:
    entries = booked(commands)
    books.wipe()
    books.project(entered(entries))
    issued = {entry.event.invoice: entry.event for entry in entries if isinstance(entry.event, Issued)}
    columns = ("client", "counterparty", "currency", "invoice", "due_on", "open", "overdue_days", "amount", "issued_on")
    found = [tuple(item[name] for name in columns) for item in books.items("/v1/receivables/open-items", as_of=as_of)]
    expected = [
        (*item, amount, (as_of - item[4]).days, issued[item[3]].amount, issued[item[3]].issued_on)
        for item, amount in items(entries, as_of).items()
        if item[4] is not None
    ]
    assert sorted(found) == sorted(expected)


@given(commands=commands())
def test_the_domain_and_the_read_model_agree_on_what_is_open(books: Books, commands: list[Command]) -> None:
    books.wipe()
    books.project(entered(booked(commands)))
    for client in ("C1", "C2"):
        account = scene.now(Account, client)
        assert isinstance(account, Account)
        found = books.items("/v1/receivables/open-items", as_of="2999-01-01", client=client)
        assert {(item["invoice"], item["due_on"]): item["open"] for item in found} == {
            (invoice, part.due_on): part.amount for invoice, item in account.invoices.items() for part in item.open
        }
        rows = books.items("/v1/receivables/ageing", as_of="2999-01-01", client=client)
        assert sum(row["unapplied"] for row in rows) == -sum(p.amount for p in account.unapplied.values())


@given(commands=commands(), as_of=dates)
def test_where_all_is_entered_in_order_nothing_is_paid_before_it_is_owed(
    books: Books, commands: list[Command], as_of: date
) -> None:
    books.wipe()
    books.project(entered(booked(sorted(commands, key=lambda command: command.effective_at))))
    for row in books.items("/v1/receivables/ageing", as_of=as_of):
        assert row["unapplied"] <= 0
        assert min(row[name] for name in BUCKETS) >= 0
