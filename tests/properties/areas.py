"""What can be asked, by area, and histories in which there is something to tell of it."""

from collections.abc import Mapping
from decimal import Decimal

from hypothesis import strategies as st

from domain import clients
from domain.event import Event
from tests.properties.histories import (
    MONTHS,
    PIPELINE,
    Step,
    client_events,
    deal_events,
    estimates,
    interleaved,
    invoices,
    other_events,
    promise_events,
    receivables_events,
    steps_of,
    stock_events,
    touches,
)
from tests.properties.test_funnel import funnels

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

#: Somebody who may owe, up to a limit, and a pipeline.
SETUP = [
    Step("pipeline", PIPELINE, MONTHS[0]),
    Step("client-C1", clients.Registered(client="C1", name="C1", attributes={"segment": "big"}), MONTHS[0]),
    Step("account-C1", clients.CounterpartyAdded(client="C1", counterparty="A"), MONTHS[0]),
    Step("account-C1", clients.CreditLimitSet(client="C1", amount=Decimal(100), currency="EUR"), MONTHS[0]),
]


def mixed(*kinds: st.SearchStrategy[Event]) -> st.SearchStrategy[Event]:
    """As many of each kind; one_of takes all that the kinds are made of for alike."""
    return st.sampled_from(kinds).flatmap(lambda kind: kind)


def many(events: st.SearchStrategy[Event]) -> st.SearchStrategy[list[Step]]:
    return steps_of(events, min_size=10)


#: Which events may have happened, by where they are asked about.
AREAS: Mapping[str, st.SearchStrategy[list[Step]]] = {
    "/v1/stock": many(mixed(stock_events, promise_events)),
    "/v1/receivables": many(mixed(receivables_events, invoices, client_events)),
    "/v1/payments": many(receivables_events),
    "/v1/clients": many(mixed(receivables_events, invoices, client_events)),
    "/v1/funnel": st.builds(
        list.__add__,
        st.builds(list.__add__, funnels(), steps_of(mixed(deal_events, touches))).flatmap(interleaved),
        many(mixed(estimates, client_events, touches)),
    ),
    "/v1/deals": many(deal_events),
    "/v1/products": many(other_events),
    "/v1/warehouses": many(other_events),
    "/v1/pipelines": many(other_events),
}


def questions_on(area: str) -> list[tuple[str, dict[str, str]]]:
    return [(path, given) for path, given in QUESTIONS if path.startswith(area)]
