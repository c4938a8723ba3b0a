"""What events contributed to a figure adds up to it exactly: every query, every row, every figure, at any moment."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.explaining import Explained, explain, read_figure
from api.querying import ask
from infra.postgres.migrate import Ledger
from projections import QUERIES
from projections.explanation import Explanation, Facts
from projections.query import ListParameters, Query
from tests.properties.areas import AREAS, CLOSED, PERIOD, QUESTIONS, SETUP
from tests.properties.books import Books
from tests.properties.histories import Step, days, lawful, moments, placed
from tests.properties.ratios import by_hand
from tests.unregistered import Unregistered

WINTER = {"from": "2025-11-01", "to": "2026-04-30"}
CLOSED_IN_WINTER = {"pipeline": "p", "closed_from": "2025-11-01", "closed_to": "2026-04-30"}

MORE: list[tuple[str, dict[str, str]]] = [
    ("/v1/stock/balances", {"group_by": "warehouse,lot"}),
    ("/v1/stock/turnovers", {**PERIOD, "group_by": "product"}),
    ("/v1/payments/summary", {**PERIOD, "group_by": "direction"}),
    ("/v1/receivables/exposure", {"client": "C2"}),
    ("/v1/stock/turnovers", {**WINTER, "group_by": "product"}),
    ("/v1/payments/summary", {**WINTER, "group_by": "client"}),
    ("/v1/receivables/statement", {**WINTER, "client": "C1"}),
    ("/v1/receivables/dso", WINTER),
    ("/v1/clients/classes", {**WINTER, "method": "bcg", "measure": "payments", "from": "2026-01-15"}),
    ("/v1/clients/classes", {**WINTER, "method": "xyz", "measure": "sales", "to": "2026-04-15"}),
    ("/v1/funnel/cohort", {"pipeline": "p", "opened_from": "2025-11-01", "opened_to": "2026-04-30"}),
    ("/v1/funnel/win-rate", CLOSED_IN_WINTER),
    ("/v1/funnel/losses", CLOSED_IN_WINTER),
    ("/v1/funnel/cycle", CLOSED_IN_WINTER),
    ("/v1/products/{product}", {"product": "P1"}),
    ("/v1/warehouses/{warehouse}", {"warehouse": "W1"}),
    ("/v1/pipelines/{pipeline}", {"pipeline": "p"}),
    ("/v1/funnel/snapshot", {"pipeline": "p", "group_by": "owner", "currency": "USD"}),
    *[
        ("/v1/funnel/attribution", {**CLOSED, "method": method, "until": until})
        for method in ("first", "last", "linear")
        for until in ("opening", "winning")
    ],
    ("/v1/clients/classes", {**PERIOD, "method": "abc", "measure": "payments", "currency": "USD"}),
]


def queries_of(area: str) -> list[tuple[Query, dict[str, str]]]:
    by_path = {query.path: query for query in QUERIES}
    asked = [(by_path[path], given) for path, given in [*QUESTIONS, *MORE] if path.startswith(area)]
    return [(query, given) for query, given in asked if isinstance(query.explained_by, Explanation)]


def by_ids(steps: Sequence[Step]) -> list[Step]:
    """A payment's bank account and direction are ids: no others can be asked for."""
    kept = []
    for step in steps:
        texts = {name: getattr(step.event, name, None) for name in ("bank_account", "direction")}
        ids = {name: f"{name}{len(text)}" for name, text in texts.items() if text}
        kept.append(replace(step, event=step.event.model_copy(update=ids)))
    return kept


class Explainer:
    def __init__(self, books: Books) -> None:
        self.queries = Unregistered(books.pool)
        self.ledger = Ledger.read(books.pool)

    def rows(self, query: Query, given: Mapping[str, str]) -> Iterator[tuple[Mapping[str, Any], dict[str, str]]]:
        """Every row of an answer, with the parameters that narrow the answer to it."""
        more = {"limit": "100000"} if issubclass(query.parameters, ListParameters) else {}
        answer = ask(self.queries, self.ledger, query, query.parameters.model_validate({**given, **more}))
        if answer is None:
            return
        grouped = answer.body.get("groups")
        for row in answer.items if answer.items is not None else grouped if grouped is not None else [answer.body]:
            narrowing = {}
            if grouped is not None or answer.items is not None:
                apart = given["group_by"].split(",") if "group_by" in given else query.explained_by.keys
                narrowing = {
                    key: "" if row[key] is None else str(row[key])
                    for key in query.explained_by.keys
                    if key in row and (key in apart or row[key] is not None)
                }
            yield row, narrowing

    def explain(self, query: Query, given: Mapping[str, str], cell: str) -> Explained:
        names = [part.split("}")[0] for part in query.path.split("{")[1:]]
        path = query.path.format(**{name: quote(given[name], safe="") for name in names})
        rest = {name: text for name, text in given.items() if name not in names}
        found = explain(self.queries, self.ledger, read_figure(f"{path}?{urlencode(rest)}"), cell)
        assert found
        return found


def check_sum(found: Explained, name: str) -> None:
    contributions = [item["contribution"] for item in found.items]
    assert 0 not in contributions
    if found.value is None:
        assert contributions == [], name
    else:
        assert sum(contributions) == found.value, name


def check_parts(found: Explained, name: str, row: Mapping[str, Any]) -> None:
    assert found.parts is not None
    sums: dict[str, Any] = dict.fromkeys(found.parts, 0)
    for item in found.items:
        sums[item["part"]] += item["contribution"]
    assert sums == found.parts, name
    figure = name.rpartition(".")[2]
    contributions = [item["contribution"] for item in found.items]
    if found.value is not None:
        assert by_hand(figure, found.parts, contributions, row) == found.value, name


def check_fact(found: Explained, name: str) -> None:
    [item] = found.items
    told = item["contribution"]
    assert (told if found.value is None or isinstance(found.value, str) else json.loads(told)) == found.value, name


as_ofs = st.none() | st.just(date(2026, 3, 31)) | moments | days


@pytest.mark.parametrize("area", AREAS)
@given(data=st.data(), as_of=as_ofs, known=st.none() | st.integers(5, 40))
@settings(max_examples=40)
def test_contributions_add_up_to_every_figure(
    books: Books, area: str, data: st.DataObject, as_of: datetime | date | None, known: int | None
) -> None:
    steps = by_ids(lawful(data.draw(AREAS[area])))
    books.wipe()
    books.project(placed([*SETUP, *steps]))
    moment = {"as_of": as_of.isoformat()} if as_of else {}
    moment |= {"known_at": str(known)} if known is not None else {}
    explainer = Explainer(books)
    for query, given_ in queries_of(area):
        for row, narrowing in explainer.rows(query, {**given_, **moment}):
            for name, cell in query.explained_by.cells(row).items():
                found = explainer.explain(query, {**given_, **moment, **narrowing}, name)
                assert found.value == cell.value, name
                places = [(item["position"], item.get("part", "")) for item in found.items]
                assert places == sorted(set(places)), name
                if isinstance(query.explained_by, Facts):
                    check_fact(found, name)
                elif found.parts is None:
                    check_sum(found, name)
                else:
                    check_parts(found, name, row)


@pytest.mark.parametrize("area", ["/v1/stock", "/v1/payments"])
@given(data=st.data(), known=st.integers(4, 30))
@settings(max_examples=20)
def test_what_was_known_then_is_what_events_up_to_then_contributed(
    books: Books, area: str, data: st.DataObject, known: int
) -> None:
    steps = by_ids(data.draw(AREAS[area]))
    books.wipe()
    books.project(placed([*SETUP, *steps]))
    explainer = Explainer(books)
    for query, given_ in queries_of(area):
        for row, narrowing in explainer.rows(query, given_):
            then = [row for row, key in explainer.rows(query, {**given_, "known_at": str(known)}) if key == narrowing]
            for name in query.explained_by.cells(row):
                items = explainer.explain(query, {**given_, **narrowing}, name).items
                was = sum(item["contribution"] for item in items if item["position"] <= known)
                assert was == sum(row[name] for row in then), name


def test_what_is_not_explained_is_a_list_of_events() -> None:
    reasons = {query.path: query.explained_by for query in QUERIES if not isinstance(query.explained_by, Explanation)}
    assert {path.rpartition("/")[2]: reason.endswith("and names it") for path, reason in reasons.items()} == {
        "movements": True,
        "restatements": True,
        "timeline": True,
    }


NO_FIGURES = {"/v1/clients/classes": {"rank"}, "/v1/receivables/dso": {"days"}}
"""A place in a list, and what follows from what was asked."""


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.path)
def test_every_number_of_an_answer_is_a_figure(query: Query) -> None:
    if not isinstance(query.explained_by, Explanation) or isinstance(query.explained_by, Facts):
        return
    fields = query.row.model_fields.items()
    numbers = {name for name, field in fields if {int, Decimal} & {field.annotation, *get_args(field.annotation)}}
    assert numbers - {*query.explained_by.sums, *query.explained_by.ratios} == NO_FIGURES.get(query.path, set())


def test_all_of_them_are_asked_about() -> None:
    asked = {query.path for area in AREAS for query, _ in queries_of(area)}
    assert asked == {query.path for query in QUERIES if isinstance(query.explained_by, Explanation)}
