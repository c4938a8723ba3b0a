"""The receivables register: what is owed by client, counterparty and currency, item by item.

An item is an invoice's instalment (positive while open) or a payment's unapplied rest (negative). So buckets plus
unapplied are the balance by construction, and the balance is the register's sum. ``entry`` is the document that moved
it, as a statement names it.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from domain.receivables import (
    Allocated,
    Bounced,
    Cancelled,
    Credited,
    Deallocated,
    Issued,
    Offset,
    Received,
    Refunded,
    WrittenOff,
)
from domain.values import Currency, Id
from projections import credit, statement
from projections import payments as summary
from projections.cards import patch
from projections.credit import debtor
from projections.explanation import Explanation
from projections.payments import payments
from projections.projection import Projection
from projections.query import ListParameters, Query
from projections.sales import sales
from projections.shapes import Card, Fact, Register, Row

receivables = Register(
    "receivables",
    dimensions={
        "client": "text",
        "counterparty": "text",
        "currency": "text",
        "kind": "text",
        "document": "text",
        "due_on": "date",
    },
    resources=("amount",),
    details={"entry": "text"},
)
invoice = Card(
    "invoice",
    key="invoice",
    facts={
        "client": Fact("text", "The client."),
        "counterparty": Fact("text", "Which of the client's legal entities."),
        "amount": Fact("numeric", "As it was issued; what is open of it is in receivables_at."),
        "currency": Fact("text", "ISO 4217."),
        "issued_on": Fact("date", "Date on the invoice."),
        "terms": Fact("jsonb", "Instalments; they add up to the amount."),
    },
)


@receivables.on(Issued)
def issued(e: Issued) -> Iterator[Row]:
    for part in e.terms:
        yield e.client, e.counterparty, e.currency, "invoice", e.invoice, part.due_on, part.amount, e.invoice


@receivables.on(Credited)
def credited(e: Credited) -> Iterator[Row]:
    for part in e.parts:
        yield e.client, e.counterparty, e.currency, "invoice", e.invoice, part.due_on, -part.amount, e.credit_note


@receivables.on(WrittenOff, Cancelled)
def given_up(e: WrittenOff | Cancelled) -> Iterator[Row]:
    for part in e.parts:
        yield e.client, e.counterparty, e.currency, "invoice", e.invoice, part.due_on, -part.amount, e.invoice


@receivables.on(Received)
def received(e: Received) -> Row:
    return e.client, e.counterparty, e.currency, "payment", e.payment, None, -e.amount, e.payment


@receivables.on(Refunded, Bounced)
def gone_back(e: Refunded | Bounced) -> Row:
    return e.client, e.counterparty, e.currency, "payment", e.payment, None, e.amount, e.payment


@receivables.on(Allocated)
def allocated(e: Allocated) -> Iterator[Row]:
    yield e.client, e.counterparty, e.currency, "payment", e.payment, None, e.amount, e.payment
    if not e.recovery:
        yield e.client, e.counterparty, e.currency, "invoice", e.invoice, e.due_on, -e.amount, e.invoice


@receivables.on(Offset)
def offset(e: Offset) -> Iterator[Row]:
    yield e.client, e.from_counterparty, e.currency, "payment", e.payment, None, e.amount, e.payment
    yield e.client, e.counterparty, e.currency, "invoice", e.invoice, e.due_on, -e.amount, e.invoice


@receivables.on(Deallocated)
def deallocated(e: Deallocated) -> Iterator[Row]:
    yield e.client, e.from_counterparty, e.currency, "payment", e.payment, None, -e.amount, e.payment
    if not e.recovery:
        yield e.client, e.counterparty, e.currency, "invoice", e.invoice, e.due_on, e.amount, e.invoice


@invoice.on(Issued)
def invoice_card(e: Issued) -> Row:
    return patch(e.invoice, e, "client", "counterparty", "amount", "currency", "issued_on", "terms")


class Owed(ListParameters):
    client: Id | None = None
    counterparty: Id | None = None
    currency: Currency | None = None


class Ageing(Owed):
    by: Literal["client", "counterparty"] = "client"


class OpenItems(Owed):
    by: Annotated[
        Literal["client", "counterparty"], Field(description="As of ageing; items are the same by either")
    ] = "client"


class AgeingRow(BaseModel):
    client: str
    counterparty: str | None
    currency: str
    current: Decimal
    d1_30: Decimal
    d31_60: Decimal
    d61_90: Decimal
    over_90: Decimal
    unapplied: Decimal
    balance: Decimal


class OpenItem(BaseModel):
    invoice: str
    client: str
    counterparty: str
    currency: str
    issued_on: date
    due_on: date
    amount: Decimal
    open: Decimal
    overdue_days: int


projection = Projection("receivables", 4, (receivables, invoice, sales, payments, debtor))
queries = (
    Query(
        "/v1/receivables/ageing",
        "receivables",
        "receivables_ageing",
        Ageing,
        AgeingRow,
        "Receivables by age",
        order=("client", "counterparty", "currency"),
        explained_by=Explanation(
            keys=("client", "counterparty", "currency"),
            sums=("current", "d1_30", "d31_60", "d61_90", "over_90", "unapplied", "balance"),
        ),
    ),
    Query(
        "/v1/receivables/open-items",
        "receivables",
        "receivables_open_items",
        OpenItems,
        OpenItem,
        "What is open, item by item",
        order=("client", "due_on", "invoice"),
        explained_by=Explanation(
            keys=("client", "counterparty", "currency", "invoice", "due_on"), sums=("amount", "open", "overdue_days")
        ),
    ),
    *statement.queries,
    *credit.queries,
    *summary.queries,
)
