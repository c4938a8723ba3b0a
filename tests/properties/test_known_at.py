"""What was answered as of a day, as known at a position, is answered the same whatever comes later."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.ports import Delivered
from domain import deals
from projections import QUERIES
from tests.properties.areas import AREAS, CLOSED, QUESTIONS, SETUP, questions_on
from tests.properties.books import Books
from tests.properties.histories import Step, days, lawful, moments, placed

as_ofs = st.just(date(2026, 4, 30)) | moments | days


@st.composite
def told(draw: st.DrawFn, area: str) -> list[Delivered]:
    """Events on the area, some of them recorded when their day was over."""
    steps = [*SETUP, *lawful(draw(AREAS[area]))]
    times = sorted(draw(st.lists(moments, min_size=len(steps), max_size=len(steps))))
    return [event._replace(recorded_at=at.isoformat()) for event, at in zip(placed(steps), times, strict=True)]


def answers(books: Books, area: str, **moment: object) -> list[tuple[str, Any]]:
    """What is answered to every question, less what tells of the log itself."""
    found = [(path, books.answer(path, **parameters, **moment)) for path, parameters in questions_on(area)]
    return [(path, answer and (answer.items, answer.body)) for path, answer in found]


@pytest.mark.parametrize("area", AREAS)
def test_an_answer_as_known_then_stays(books: Books, area: str) -> None:
    changed: set[int] = set()

    @settings(max_examples=60, derandomize=True)
    @given(events=told(area), data=st.data(), as_of=as_ofs)
    def stays(events: list[Delivered], data: st.DataObject, as_of: datetime | date) -> None:
        after = len(events) - len(SETUP)
        known = len(SETUP) + data.draw(st.integers(after // 4, after * 3 // 4))
        books.wipe()
        books.project(events[:known])
        then = answers(books, area, as_of=as_of)
        assert answers(books, area, as_of=as_of, known_at=known) == then
        books.project(events)
        assert answers(books, area, as_of=as_of, known_at=known) == then
        everything = answers(books, area, as_of=as_of)
        assert answers(books, area, as_of=as_of, known_at=len(events)) == everything
        changed.update(n for n, was in enumerate(then) if was != everything[n])

    stays()
    untold = [question for n, question in enumerate(questions_on(area)) if n not in changed]
    assert untold == [], "what came later never made a difference to these"


@pytest.mark.parametrize("area", AREAS)
@given(data=st.data())
@settings(max_examples=10)
def test_now_is_the_same_by_what_is_kept_and_by_all_that_is_known(books: Books, area: str, data: st.DataObject) -> None:
    events = data.draw(told(area))
    books.wipe()
    books.project(events)
    assert answers(books, area, known_at=len(events)) == answers(books, area)


def test_what_a_closed_deal_was_worth_is_told_as_known_then(books: Books) -> None:
    """Chance hardly ever estimates a deal late, for a day before it was closed."""
    deal = {"deal": "D1", "client": "C1", "pipeline": "p"}
    opened = deals.Opened(**deal, stage="a", amount=Decimal(100), currency="EUR")
    happened = [opened, deals.Lost(**deal, stage="a", reason="price")]
    late = deals.Estimated(**deal, amount=Decimal(50), currency="EUR")
    days = (datetime(2026, 1, day, tzinfo=UTC) for day in (2, 10, 5))
    steps = [Step("deal-D1", event, at) for event, at in zip([*happened, late], days, strict=True)]
    books.project(placed([*SETUP, *steps]))
    for known, amount in ((len(SETUP) + 2, 100), (len(SETUP) + 3, 50)):
        assert [row["amount"] for row in books.items("/v1/funnel/losses", **CLOSED, known_at=known)] == [amount]


def test_every_question_is_asked() -> None:
    one_card = {query.path for query in QUERIES if query.path.startswith(("/v1/products/", "/v1/warehouses/"))}
    assert {path for path, _ in QUESTIONS} | one_card | {"/v1/pipelines/{pipeline}"} == {q.path for q in QUERIES}
    assert sorted(path for area in AREAS for path, _ in questions_on(area)) == sorted(path for path, _ in QUESTIONS)
