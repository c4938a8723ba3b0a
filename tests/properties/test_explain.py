"""What events contributed to a figure adds up to it exactly: every query, every row, every figure, at any moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.explaining import explain, read_figure
from api.querying import ask
from api.rendering import flat
from domain.event import Event
from infra.postgres.migrate import Ledger
from infra.postgres.queries import Queries
from projections import QUERIES
from projections.explanation import Explanation
from projections.query import ListParameters, Query
from tests.properties.books import Books
from tests.properties.histories import (
    MONTHS,
    PIPELINE,
    Step,
    client_events,
    days,
    deal_events,
    lawful,
    moments,
    other_events,
    placed,
    promise_events,
    receivables_events,
    steps_of,
    stock_events,
)
from tests.properties.test_known_at import QUESTIONS

AREAS: Mapping[str, st.SearchStrategy[Event]] = {
    "/v1/stock": st.one_of(stock_events, promise_events),
    "/v1/receivables": st.one_of(receivables_events, client_events),
    "/v1/payments": receivables_events,
    "/v1/clients": st.one_of(receivables_events, client_events),
    "/v1/funnel": st.one_of(deal_events, deal_events, client_events),
    "/v1/deals": deal_events,
    "/v1/products": other_events,
    "/v1/warehouses": other_events,
    "/v1/pipelines": other_events,
}

MORE: list[tuple[str, dict[str, str]]] = [
    ("/v1/stock/balances", {"group_by": "warehouse,lot"}),
    ("/v1/stock/turnovers", {"from": "2025-12-15", "to": "2026-02-10", "group_by": "product"}),
    ("/v1/payments/summary", {"from": "2025-12-15", "to": "2026-02-10", "group_by": "direction"}),
    ("/v1/receivables/exposure", {"client": "C2"}),
    ("/v1/funnel/snapshot", {"pipeline": "p", "group_by": "owner", "currency": "USD"}),
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
        self.queries = Queries(books.pool)
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
            yield flat(row), narrowing

    def explain(self, query: Query, given: Mapping[str, str], cell: str) -> Any:
        names = [part.split("}")[0] for part in query.path.split("{")[1:]]
        path = query.path.format(**{name: quote(given[name], safe="") for name in names})
        rest = {name: text for name, text in given.items() if name not in names}
        return explain(self.queries, self.ledger, read_figure(f"{path}?{urlencode(rest)}"), cell)


def check(found: Any, name: str, value: Any) -> None:
    assert found.value == value, name
    contributions = [item["contribution"] for item in found.items]
    if found.parts is None:
        assert sum(contributions) == (value or 0), name
        assert value is not None or not contributions
    else:
        by_part: dict[str, Decimal] = dict.fromkeys(found.parts, Decimal(0))
        for item in found.items:
            by_part[item["part"]] += item["contribution"]
        assert by_part == found.parts, name
    places = [(item["position"], item.get("part", "")) for item in found.items]
    assert places == sorted(set(places)), name


as_ofs = st.none() | moments | days


@pytest.mark.parametrize("area", AREAS)
@given(data=st.data(), as_of=as_ofs, known=st.none() | st.integers(0, 25))
@settings(max_examples=25)
def test_contributions_add_up_to_every_figure(
    books: Books, area: str, data: st.DataObject, as_of: datetime | date | None, known: int | None
) -> None:
    steps = by_ids(lawful(data.draw(steps_of(AREAS[area]))))
    books.wipe()
    books.project(placed([Step("pipeline", PIPELINE, MONTHS[0]), *steps]))
    moment = {"as_of": as_of.isoformat()} if as_of else {}
    moment |= {"known_at": str(known)} if known is not None else {}
    explainer = Explainer(books)
    for query, given_ in queries_of(area):
        for row, narrowing in explainer.rows(query, {**given_, **moment}):
            for name, cell in query.explained_by.cells(row).items():
                found = explainer.explain(query, {**given_, **moment, **narrowing}, name)
                check(found, name, cell.value)
