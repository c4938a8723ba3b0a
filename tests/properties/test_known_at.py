"""What was answered as of a day, as known at a position, is answered the same whatever comes later."""

from datetime import date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from projections import QUERIES
from tests.properties.areas import QUESTIONS
from tests.properties.books import Books
from tests.properties.histories import MONTHS, PIPELINE, Step, days, histories, lawful, moments, placed


def answers(books: Books, **moment: object) -> list[tuple[str, Any]]:
    """What is answered to every question, less what tells of the log itself."""
    found = [(path, books.answer(path, **parameters, **moment)) for path, parameters in QUESTIONS]
    return [(path, answer and (answer.items, answer.body)) for path, answer in found]


@settings(max_examples=30)
@given(steps=histories.map(lawful), known=st.integers(0, 25), as_of=moments | days)
def test_an_answer_as_known_then_stays(books: Books, steps: list[Step], known: int, as_of: datetime | date) -> None:
    steps = [Step("pipeline", PIPELINE, MONTHS[0]), *steps]
    known = min(known, len(steps))
    books.wipe()
    books.project(placed(steps[:known]))
    then = answers(books, as_of=as_of)
    assert answers(books, as_of=as_of, known_at=known) == then
    books.project(placed(steps))
    assert answers(books, as_of=as_of, known_at=known) == then
    assert answers(books, as_of=as_of, known_at=len(steps)) == answers(books, as_of=as_of)


@settings(max_examples=20)
@given(steps=histories.map(lawful))
def test_now_is_the_same_by_what_is_kept_and_by_all_that_is_known(books: Books, steps: list[Step]) -> None:
    books.wipe()
    books.project(placed(steps))
    assert answers(books, known_at=len(steps)) == answers(books)


def test_every_question_is_asked() -> None:
    one_card = {query.path for query in QUERIES if query.path.startswith(("/v1/products/", "/v1/warehouses/"))}
    assert {path for path, _ in QUESTIONS} | one_card | {"/v1/pipelines/{pipeline}"} == {q.path for q in QUERIES}
