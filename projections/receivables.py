"""The receivables register: what is owed by client, counterparty and currency, item by item.

An item is an invoice's instalment (positive while open) or a payment's unapplied rest (negative). So buckets plus
unapplied are the balance by construction, and the balance is the register's sum.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from domain.receivables import Allocated, Issued, Received
from domain.values import Currency, Id
from projections.cards import patch
from projections.projection import Projection
from projections.query import ListParameters, Query
from projections.shapes import Card, Register, Row

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
)
invoice = Card("invoice", key="invoice")


@receivables.on(Issued)
def issued(e: Issued) -> Iterator[Row]:
    for part in e.terms:
        yield e.client, e.counterparty, e.currency, "invoice", e.invoice, part.due_on, part.amount


@receivables.on(Received)
def received(e: Received) -> Row:
    return e.client, e.counterparty, e.currency, "payment", e.payment, None, -e.amount


@receivables.on(Allocated)
def allocated(e: Allocated) -> Iterator[Row]:
    yield e.client, e.counterparty, e.currency, "payment", e.payment, None, e.amount
    yield e.client, e.counterparty, e.currency, "invoice", e.invoice, e.due_on, -e.amount


@invoice.on(Issued)
def invoice_card(e: Issued) -> Row:
    return patch(e.invoice, e, "client", "counterparty", "amount", "currency", "issued_on")


class Owed(ListParameters):
    client: Id | None = None
    counterparty: Id | None = None
    currency: Currency | None = None


class Ageing(Owed):
    by: Literal["client", "counterparty"] = "client"


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


projection = Projection("receivables", 1, (receivables, invoice))
queries = (
    Query(
        "/v1/receivables/ageing",
        "receivables",
        "receivables_ageing",
        Ageing,
        AgeingRow,
        "Receivables by age",
        order=("client", "counterparty", "currency"),
    ),
    Query(
        "/v1/receivables/open-items",
        "receivables",
        "receivables_open_items",
        Owed,
        OpenItem,
        "What is open, item by item",
        order=("client", "due_on", "invoice"),
    ),
)
