"""Whatever months are detached, an answer is what it was, or is refused; attached again, all is as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.refusal import Refusal
from infra.postgres.connection import Pool
from infra.postgres.hindsight import changes
from infra.postgres.months import Months
from infra.postgres.queries import Queries
from projections import PROJECTIONS
from projections.shapes import Register
from tests.properties.areas import QUESTIONS
from tests.properties.books import Books
from tests.properties.histories import MONTHS, PIPELINE, Step, days, histories, lawful, moments, placed
from tests.properties.tables import without_positions

REGISTERS = [(p.name, shape) for p in PROJECTIONS for shape in p.shapes if isinstance(shape, Register)]


def answer(books: Books, path: str, **parameters: object) -> Any:
    try:
        found = books.answer(path, **parameters)
    except Refusal as refusal:
        return refusal.code
    return found and (found.items, found.body)


def differing(queries: Queries, moment: datetime, end: int) -> Any:
    try:
        return list(changes(queries, PROJECTIONS, 0, end, moment))
    except Refusal as refusal:
        return refusal.code


@contextmanager
def detached(months: Months, chosen: frozenset[date]) -> Iterator[None]:
    """While it lasts, these of all registers that have them."""
    there = {(each.register, each.month) for each in months.list(register for _, register in REGISTERS)}
    gone = [(p, r, month) for p, r in REGISTERS for month in chosen if (r.name, f"{month:%Y-%m}") in there]
    for projection, register, month in gone:
        months.detach(projection, register, month)
    try:
        yield
    finally:
        for _, register, month in gone:
            months.attach(register, month)


@settings(max_examples=30)
@given(
    steps=histories.map(lawful),
    chosen=st.frozensets(st.sampled_from([edge.date() for edge in MONTHS]), min_size=1),
    as_of=st.none() | moments | days,
    known=st.none() | st.integers(0, 25),
    period=st.sampled_from([("2025-12-15", "2026-02-10"), ("2026-01-01", "2026-02-28"), ("2025-12-01", "2026-01-31")]),
)
def test_an_answer_is_what_it_was_or_is_refused(
    books: Books,
    pool: Pool,
    steps: list[Step],
    chosen: frozenset[date],
    as_of: datetime | date | None,
    known: int | None,
    period: tuple[str, str],
) -> None:
    steps = [Step("pipeline", PIPELINE, MONTHS[0]), *steps]
    books.wipe()
    books.project(placed(steps))
    first, last = period
    asked = [
        (path, {**given, **({"from": first, "to": last} if "from" in given else {}), "as_of": as_of, "known_at": known})
        for path, given in QUESTIONS
    ]
    queries = Queries(pool)
    moment = as_of if isinstance(as_of, datetime) else MONTHS[2]
    before = [answer(books, path, **given) for path, given in asked]
    diff, tables = differing(queries, moment, len(steps)), without_positions(books)
    with detached(Months(books.database), chosen):
        for (path, given), was in zip(asked, before, strict=True):
            assert answer(books, path, **given) in (was, "detached"), path
        assert differing(queries, moment, len(steps)) in (diff, "detached")
    assert without_positions(books) == tables
    assert [answer(books, path, **given) for path, given in asked] == before


@settings(max_examples=15)
@given(steps=histories.map(lawful), late=histories.map(lawful), chosen=st.sampled_from(MONTHS))
def test_what_comes_for_a_detached_month_is_there_once_it_is_attached(
    books: Books, steps: list[Step], late: list[Step], chosen: datetime
) -> None:
    books.wipe()
    books.project(placed(steps + late))
    expected = without_positions(books)
    books.wipe()
    books.project(placed(steps))
    with detached(Months(books.database), frozenset([chosen.date()])):
        books.project(placed(steps + late))
    assert without_positions(books) == expected
