"""How long clients take to pay, and how much of their credit they have used."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from domain.clients import CounterpartyAdded, CreditLimitSet, Registered
from domain.values import Currency, Id
from projections.cards import patch, the_card
from projections.explanation import Explanation
from projections.query import Parameters, Period, Query
from projections.shapes import Card, Fact, Row

debtor = Card(
    "debtor",
    key="debtor",
    facts={
        "clients": Fact("jsonb", "By id, each 1: the clients that it is of, be it one itself.", pieces="client"),
        "credit_limit": Fact("numeric", "The most that it may owe.", ("amount",)),
        "currency": Fact("text", "ISO 4217, of the credit limit."),
    },
)
"""Who may owe: clients, with their credit limit, and counterparties, each with the clients it is of."""


@debtor.on(Registered)
def registered(e: Registered) -> Row:
    return patch(e.client, e, **{f"client.{e.client}": 1})


@debtor.on(CounterpartyAdded)
def counterparty_added(e: CounterpartyAdded) -> Row:
    return patch(e.counterparty, e, **{f"client.{e.client}": 1})


@debtor.on(CreditLimitSet)
def credit_limited(e: CreditLimitSet) -> Row:
    return patch(e.client, e, "amount", "currency")


class SalesOutstanding(Period, Parameters):
    client: Id | None = None
    currency: Annotated[Currency | None, Field(description="Default: the book's")] = None


class OfClient(Parameters):
    client: Id


class SalesOutstandingRow(BaseModel):
    currency: str
    balance: Decimal
    gross: Decimal
    sales: Decimal
    days: int
    dso_net: Decimal | None
    dso_gross: Decimal | None


class Exposure(BaseModel):
    client: str
    currency: str
    exposure: Decimal
    limit: Decimal | None
    available: Decimal | None


queries = (
    Query(
        "/v1/receivables/dso",
        "receivables",
        "receivables_dso",
        SalesOutstanding,
        SalesOutstandingRow,
        "Days sales outstanding",
        assemble=the_card,
        explained_by=Explanation(
            sums=("balance", "gross", "sales"),
            ratios={"dso_net": ("balance", "sales"), "dso_gross": ("gross", "sales")},
        ),
    ),
    Query(
        "/v1/receivables/exposure",
        "receivables",
        "receivables_exposure",
        OfClient,
        Exposure,
        "What of a client's credit is used",
        assemble=the_card,
        explained_by=Explanation(sums=("exposure", "limit", "available")),
    ),
)
