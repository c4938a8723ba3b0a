"""A balance is the same by totals, by movements and by a plain sum, at any moment and in any time zone."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import receivables, stock
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import migrate
from projections import PROJECTIONS
from projections.shapes import Register
from tests.properties.books import Books
from tests.properties.folds import logs
from tests.properties.histories import (
    MONTHS,
    Step,
    histories,
    lawful,
    moments,
    periods,
    placed,
    receivables_events,
    steps_of,
    stock_events,
)
from tests.properties.moments import end_of

EVERYTHING = 2**62
FUTURE = datetime(2950, 1, 1, tzinfo=UTC)

_numbers = count(1)

Key = tuple[Any, ...]


@pytest.fixture(scope="module", params=["UTC", "America/New_York", "Pacific/Kiritimati"])
def zone(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def zoned(dsn: str, zone: str) -> Iterator[Books]:
    """The books of a company in that time zone."""
    database = Database(dsn, f"z{os.getpid()}_{next(_numbers)}")
    migrate(database, time_zone=zone)
    with Pool(database) as pool:
        books = Books(database, pool)
        yield books
        books.close()


def movements(steps: Sequence[Step], register: str, width: int) -> list[tuple[datetime, int, Key, Decimal]]:
    """Effective time, position, dimensions and amount of each."""
    rows = logs(steps).get(f"{register}_movement", [])
    return [(row[2], row[0], row[5 : 5 + width], row[5 + width]) for row in rows]


def summed(amounts: Sequence[tuple[Key, Decimal]]) -> dict[Key, Decimal]:
    sums: dict[Key, Decimal] = {}
    for key, amount in amounts:
        sums[key] = sums.get(key, Decimal(0)) + amount
    return {key: amount for key, amount in sums.items() if amount}


def at(books: Books, register: str, moments: Sequence[datetime], known_at: int | None) -> dict[datetime, dict]:
    """The balances at each moment, as the register's function gives them."""
    found: dict[datetime, dict[Key, Decimal]] = {moment: {} for moment in moments}
    sql = f"SELECT m.as_of, b.* FROM unnest(%s::timestamptz[]) AS m (as_of), LATERAL {register}_at(m.as_of, %s) AS b"
    for moment, *key, amount in books.rows(sql, list(found), known_at):
        if amount:
            found[moment][tuple(key)] = amount
    return found


edges = [edge + timedelta(microseconds=step) for edge in MONTHS for step in (-1, 0, 1)]

REGISTERS = {"stock": (stock_events, 3), "receivables": (receivables_events, 6)}


@pytest.fixture(params=REGISTERS)
def register(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@given(data=st.data(), probes=st.lists(moments, max_size=5), known_at=st.integers(0, 25))
@settings(max_examples=25)
def test_balances_by_totals_by_movements_and_by_hand(
    zoned: Books, register: str, zone: str, data: st.DataObject, probes: list[datetime], known_at: int
) -> None:
    events, width = REGISTERS[register]
    steps = data.draw(steps_of(events))
    midnights = [end_of(step.effective_at.astimezone(ZoneInfo(zone)).date(), ZoneInfo(zone)) for step in steps]
    probes = [*edges, *probes, *midnights, *(step.effective_at for step in steps), FUTURE]
    zoned.wipe()
    zoned.project(placed(steps))
    moved = movements(steps, register, width)

    def by_hand(as_of: datetime, known: int) -> dict[Key, Decimal]:
        return summed([(key, amount) for at, position, key, amount in moved if at <= as_of and position <= known])

    expected = {as_of: by_hand(as_of, EVERYTHING) for as_of in probes}
    assert at(zoned, register, probes, None) == expected
    assert at(zoned, register, probes, EVERYTHING) == expected
    assert at(zoned, register, probes, known_at) == {as_of: by_hand(as_of, known_at) for as_of in probes}
    now = summed([(tuple(key), amount) for *key, amount in zoned.rows(f"SELECT * FROM {register}_at(NULL, NULL)")])
    assert now == by_hand(datetime.now(UTC), EVERYTHING)


@given(data=st.data(), period=periods, known_at=st.none() | st.integers(0, 25), until=st.none() | moments)
@settings(max_examples=40)
def test_flows_are_what_came_in_and_went_out(
    zoned: Books,
    register: str,
    zone: str,
    data: st.DataObject,
    period: tuple[date, date],
    known_at: int | None,
    until: datetime | None,
) -> None:
    first, last = period
    events, width = REGISTERS[register]
    steps = data.draw(steps_of(events))
    zoned.wipe()
    zoned.project(placed(steps))
    flows = zoned.rows(f"SELECT * FROM {register}_flows(%s, %s, %s, %s)", first, last, known_at, until)
    moved = [
        (key, amount)
        for moment, position, key, amount in movements(steps, register, width)
        if first <= moment.astimezone(ZoneInfo(zone)).date() <= last
        and (known_at is None or position <= known_at)
        and (until is None or moment <= until)
    ]
    assert summed([(row[:width], row[width]) for row in flows]) == summed([m for m in moved if m[1] > 0])
    assert summed([(row[:width], -row[width + 1]) for row in flows]) == summed([m for m in moved if m[1] < 0])


@given(steps=histories.map(lawful), probes=st.lists(moments, max_size=5), period=periods, until=moments)
@settings(max_examples=25)
def test_every_register_says_the_same_by_totals_and_by_movements_alone(
    zoned: Books, steps: list[Step], probes: list[datetime], period: tuple[date, date], until: datetime
) -> None:
    zoned.wipe()
    zoned.project(placed(steps))
    for register in (shape for each in PROJECTIONS for shape in each.shapes if isinstance(shape, Register)):

        def balances(known_at: int | None, register: Register = register) -> set[tuple[Any, ...]]:
            moments = "unnest(%s::timestamptz[]) AS m (as_of)"
            sql = f"SELECT m.as_of, b.* FROM {moments}, LATERAL {register.name}_at(m.as_of, %s) AS b"
            rows = zoned.rows(sql, [*edges, *probes, FUTURE], known_at)
            return {row for row in rows if any(row[-len(register.resources) :])}

        def flows(known_at: int | None, register: Register = register) -> set[tuple[Any, ...]]:
            rows = zoned.rows(f"SELECT * FROM {register.name}_flows(%s, %s, %s, %s)", *period, known_at, until)
            return {row for row in rows if any(row[-2 * len(register.resources) :])}

        assert balances(None) == balances(EVERYTHING)
        assert flows(None) == flows(EVERYTHING)


def place(row: dict[str, Any]) -> Key:
    return row["product"], row["warehouse"], row["lot"]


@given(
    steps=steps_of(stock_events),
    period=periods,
    group_by=st.lists(st.sampled_from(["product", "warehouse", "lot"]), unique=True),
    known_at=st.none() | st.integers(0, 25),
)
def test_opening_and_in_less_out_is_closing(
    zoned: Books, steps: list[Step], period: tuple[date, date], group_by: list[str], known_at: int | None
) -> None:
    first, last = period
    zoned.wipe()
    zoned.project(placed(steps))
    slice = {"group_by": group_by, "known_at": known_at}
    turnovers = zoned.items("/v1/stock/turnovers", **{"from": first, "to": last, **slice})
    for row in turnovers:
        assert row["opening"] + row["received"] - row["issued"] == row["closing"]
        assert min(row["received"], row["issued"]) >= 0
    for figure, day in (("opening", first - timedelta(days=1)), ("closing", last)):
        balances = zoned.items("/v1/stock/balances", as_of=day, **slice)
        assert {place(row): row[figure] for row in turnovers if row[figure]} == {
            place(row): row["on_hand"] for row in balances
        }


def test_what_is_not_yet_effective_does_not_count_now(books: Books) -> None:
    received = stock.Received(product="P1", warehouse="W1", quantity=Decimal(3), cost=Decimal(1), currency="EUR")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    books.project(placed([Step("product-P1", received, tomorrow)]))
    assert books.items("/v1/stock/balances") == []
    assert books.items("/v1/stock/balances", as_of=tomorrow)[0]["on_hand"] == 3


def test_what_is_settled_has_no_row_in_the_balances(books: Books) -> None:
    paid = receivables.Received(payment="Z1", client="C1", counterparty="C1", currency="EUR", amount=Decimal(5))
    back = receivables.Allocated(
        payment="Z1", invoice="I1", client="C1", counterparty="C1", currency="EUR", due_on=date(2026, 1, 1), amount=5
    )
    books.project(placed([Step("account-C1", event, MONTHS[0]) for event in (paid, back)]))
    assert books.rows("SELECT document FROM receivables_balance") == [("I1",)]
