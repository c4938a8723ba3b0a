"""What was answered as of a day, as known at a position, is answered the same whatever comes later."""

from datetime import date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from projections import QUERIES
from tests.properties.books import Books
from tests.properties.histories import MONTHS, PIPELINE, Step, days, histories, lawful, moments, placed

PERIOD = {"from": "2025-12-15", "to": "2026-02-10"}
CLOSED = {"pipeline": "p", "closed_from": "2025-12-15", "closed_to": "2026-02-10"}

QUESTIONS: list[tuple[str, dict[str, str]]] = [
    ("/v1/clients", {}),
    ("/v1/clients/{client}", {"client": "C1"}),
    ("/v1/clients/{client}/timeline", {"client": "C1"}),
    ("/v1/deals", {}),
    ("/v1/deals/{deal}", {"deal": "D1"}),
    ("/v1/products", {}),
    ("/v1/warehouses", {}),
    ("/v1/pipelines", {}),
    ("/v1/funnel/snapshot", {"pipeline": "p"}),
    ("/v1/funnel/cohort", {"pipeline": "p", "opened_from": "2025-12-15", "opened_to": "2026-02-10"}),
    ("/v1/funnel/snapshot", {"pipeline": "p", "group_by": "owner,source,segment"}),
    ("/v1/funnel/win-rate", CLOSED),
    ("/v1/funnel/losses", CLOSED),
    ("/v1/funnel/transitions", {"pipeline": "p"}),
    ("/v1/funnel/durations", {"pipeline": "p"}),
    ("/v1/funnel/cycle", CLOSED),
    ("/v1/funnel/attribution", {**CLOSED, "until": "winning", "method": "linear"}),
    ("/v1/stock/balances", {}),
    ("/v1/stock/balances", {"group_by": "product"}),
    ("/v1/stock/turnovers", PERIOD),
    ("/v1/stock/movements", PERIOD),
    ("/v1/receivables/ageing", {}),
    ("/v1/receivables/ageing", {"by": "counterparty"}),
    ("/v1/receivables/open-items", {}),
    ("/v1/receivables/statement", {**PERIOD, "client": "C1"}),
    ("/v1/receivables/statement", {**PERIOD, "counterparty": "A", "currency": "USD"}),
    ("/v1/receivables/dso", PERIOD),
    ("/v1/receivables/exposure", {"client": "C1"}),
    ("/v1/payments/summary", PERIOD),
    ("/v1/clients/classes", {**PERIOD, "method": "abc", "measure": "sales"}),
    ("/v1/clients/classes", {**PERIOD, "method": "xyz", "measure": "payments"}),
    ("/v1/clients/classes", {**PERIOD, "method": "bcg", "measure": "sales", "from": "2026-01-15"}),
    ("/v1/stock/restatements", {"product": "P1"}),
    ("/v1/receivables/restatements", {}),
    ("/v1/funnel/restatements", {"after": "1"}),
]


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
