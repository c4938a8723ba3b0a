"""A restatement says what a day's end was held to be and what it is since an event, just as the figures say it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.ports import Delivered
from domain.deals import Opened
from domain.stock import Received
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import migrate
from tests.properties.books import Books
from tests.properties.histories import (
    MONTHS,
    PIPELINE,
    Step,
    deal_events,
    moments,
    placed,
    promise_events,
    receivables_events,
    steps_of,
    stock_events,
)

ZONE = "Pacific/Kiritimati"
"""A day there is over fourteen hours before it is in UTC."""

Figures = Mapping[tuple[str, ...], Any]

_numbers = count(1)


@pytest.fixture(scope="module")
def far(dsn: str) -> Iterator[Books]:
    """The books of a company at the end of the world."""
    database = Database(dsn, f"r{os.getpid()}_{next(_numbers)}")
    migrate(database, time_zone=ZONE)
    with Pool(database) as pool:
        books = Books(database, pool)
        yield books
        books.close()


def stock(books: Books, **moment: object) -> Figures:
    rows = books.items("/v1/stock/balances", group_by="product,warehouse", **moment)
    names = ("on_hand", "reserved", "in_transit", "incoming")
    return {(row["product"], row["warehouse"], name): row[name] for row in rows for name in names}


def receivables(books: Books, **moment: object) -> Figures:
    found: dict[tuple[str, ...], Any] = {}
    for row in books.items("/v1/receivables/ageing", by="counterparty", **moment):
        key = row["client"], row["counterparty"], row["currency"]
        figures = {name: row[name] for name in ("balance", "unapplied")}
        figures["gross"] = row["balance"] - row["unapplied"]
        found |= {(*key, name): figure for name, figure in figures.items()}
    return found


def funnel(books: Books, **moment: object) -> Figures:
    snapshot = books.body("/v1/funnel/snapshot", pipeline="p", **moment)
    standing = {each["stage"]: each for each in snapshot["stages"]}
    standing |= {outcome: snapshot[outcome] for outcome in ("won", "lost")}
    deals = {("p", state, None, "deals"): figures["deals"] for state, figures in standing.items()}
    return deals | {("p", state, "EUR", "amount"): figures["amount"] for state, figures in standing.items()}


AREAS: Mapping[str, tuple[Any, Callable[..., Figures]]] = {
    "stock": (st.one_of(stock_events, promise_events), stock),
    "receivables": (receivables_events, receivables),
    "funnel": (deal_events, funnel),
}


@pytest.fixture(params=AREAS)
def area(request: pytest.FixtureRequest) -> str:
    return str(request.param)


times_of_recording = st.lists(moments, min_size=26, max_size=26).map(sorted)


def recorded(steps: Sequence[Step], times: Sequence[datetime]) -> list[Delivered]:
    """The steps as events, each known since its time; a deal is opened once."""
    opened: set[str] = set()
    kept = [Step("pipeline", PIPELINE, MONTHS[0])]
    for step in steps:
        if isinstance(step.event, Opened):
            if step.event.deal in opened:
                continue
            opened.add(step.event.deal)
        kept.append(step)
    events = placed(kept)
    return [event._replace(recorded_at=at.isoformat()) for event, at in zip(events, times, strict=False)]


def day(time: str) -> date:
    return datetime.fromisoformat(time).astimezone(ZoneInfo(ZONE)).date()


def told(books: Books, area: str, **parameters: object) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    """Position, cause, day and cell; what it was and what it is."""
    rows = books.items(f"/v1/{area}/restatements", **parameters)
    found = {tuple(value for name, value in row.items() if name not in ("was", "is")): row for row in rows}
    assert len(found) == len(rows)
    return {key: (row["was"], row["is"]) for key, row in found.items()}


def by_hand(books: Books, events: Sequence[Delivered], figures: Callable[..., Figures]) -> Mapping[Any, Any]:
    """Each event whose day was over: the figures of that day's end before it and with it, where they differ."""
    found: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    for event in events[1:]:
        on = day(event.effective_at)
        if on < day(event.recorded_at):
            was = figures(books, as_of=on, known_at=event.position - 1)
            is_ = figures(books, as_of=on, known_at=event.position)
            for cell in was.keys() | is_.keys():
                if was.get(cell, 0) != is_.get(cell, 0):
                    found[event.position, event.type, on, *cell] = was.get(cell, 0), is_.get(cell, 0)
    return found


@given(data=st.data(), times=times_of_recording, after=st.integers(0, 3))
def test_restatements_are_where_a_past_day_s_figures_differ(
    far: Books, area: str, data: st.DataObject, times: list[datetime], after: int
) -> None:
    possible, figures = AREAS[area]
    events = recorded(data.draw(steps_of(possible)), times)
    far.wipe()
    far.project(events)
    expected = {key: change for key, change in by_hand(far, events, figures).items() if key[0] > after}
    assert told(far, area, after=after, as_of=date(2950, 1, 1)) == expected


@given(data=st.data(), times=times_of_recording, known=st.integers(1, 26), as_of=moments)
def test_what_was_told_of_restatements_stays(
    far: Books, area: str, data: st.DataObject, times: list[datetime], known: int, as_of: datetime
) -> None:
    events = recorded(data.draw(steps_of(AREAS[area][0])), times)
    far.wipe()
    far.project(events[:known])
    then = told(far, area, as_of=as_of)
    far.project(events)
    assert told(far, area, as_of=as_of, known_at=min(known, len(events))) == then
    later = told(far, area, as_of=as_of, after=known)
    assert {**then, **later} == told(far, area, as_of=as_of)


def test_an_event_of_the_day_on_which_it_becomes_known_restates_nothing(far: Books) -> None:
    noon = MONTHS[1] + timedelta(hours=12)  # past two at night on the second, over there
    received = Received(product="P1", warehouse="W1", quantity=Decimal(3), cost=Decimal(1), currency="EUR")
    [came] = placed([Step("product-P1", received, noon)])
    for hours, rows in ((0, 0), (21, 0), (22, 1), (48, 1)):
        far.wipe()
        far.project([came._replace(recorded_at=(noon + timedelta(hours=hours)).isoformat())])
        assert len(told(far, "stock")) == rows
