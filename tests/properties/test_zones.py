"""Where a day ends is for the database to say: Python may know other rules for a time zone, or older ones."""

import os
import struct
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.explaining import explain, read_figure
from domain import receivables, stock
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import Ledger, migrate
from tests.properties.books import Books
from tests.properties.histories import Step, placed
from tests.unregistered import Unregistered

ZONE = "Africa/Nairobi"
"""Three hours before UTC, and to Python five behind it."""
ELSEWHERE = b"TZif" + struct.pack(">16x6l", 0, 0, 0, 0, 1, 4) + struct.pack(">lbb", -5 * 3600, 0, 0) + b"XXX\0"

DAY = date(2026, 3, 31)
MIDNIGHT = datetime(2026, 3, 31, 21, tzinfo=UTC)
HOURS = [MIDNIGHT + timedelta(hours=hours) for hours in range(-12, 13)]

_numbers = count(1)


@pytest.fixture
def at_odds(dsn: str, tmp_path: Path) -> Iterator[Books]:
    """The books of a company in a time zone of which Python and the database think differently."""
    (tmp_path / ZONE).parent.mkdir()
    (tmp_path / ZONE).write_bytes(ELSEWHERE)
    database = Database(dsn, f"o{os.getpid()}_{next(_numbers)}")
    migrate(database, time_zone=ZONE)
    zoneinfo.reset_tzpath(to=[tmp_path])
    ZoneInfo.clear_cache()
    try:
        assert MIDNIGHT.astimezone(ZoneInfo(ZONE)).hour == 16
        with Pool(database) as pool:
            books = Books(database, pool)
            yield books
            books.close()
    finally:
        zoneinfo.reset_tzpath()
        ZoneInfo.clear_cache()


def test_what_goes_before_a_day_and_what_comes_on_it_are_all_there_is(at_odds: Books) -> None:
    received = stock.Received(product="P1", warehouse="W1", quantity=Decimal(1), cost=Decimal(1), currency="EUR")
    at_odds.project(placed([Step("product-P1", received, at) for at in HOURS]))
    [balance] = at_odds.items("/v1/stock/balances", as_of=DAY)
    assert balance["on_hand"] == 12
    period = {"from": DAY + timedelta(days=1), "to": DAY + timedelta(days=9)}
    [turnover] = at_odds.items("/v1/stock/turnovers", **period)
    assert [turnover[name] for name in ("opening", "received", "closing")] == [12, 13, 25]
    address = f"/v1/stock/turnovers?product=P1&from={period['from']}&to={period['to']}"
    explained = explain(Unregistered(at_odds.pool), Ledger.read(at_odds.pool), read_figure(address), "opening")
    assert explained
    assert explained.total == 12


@pytest.mark.parametrize(("hours", "overdue"), [(-1, 0), (0, 1), (23, 1), (24, 2)])
def test_the_day_of_a_moment_is_the_databases(at_odds: Books, hours: int, overdue: int) -> None:
    owed = {"client": "C1", "counterparty": "C1", "currency": "EUR", "amount": Decimal(5)}
    terms = (receivables.Instalment(due_on=DAY, amount=Decimal(5)),)
    issued = receivables.Issued(invoice="I1", issued_on=DAY, terms=terms, **owed)
    at_odds.project(placed([Step("account-C1", issued, HOURS[0])]))
    [item] = at_odds.items("/v1/receivables/open-items", as_of=MIDNIGHT + timedelta(hours=hours))
    assert item["overdue_days"] == overdue
