"""A statement of account (акт сверки): opening, each document, closing."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from domain.values import ZERO, Currency, Id
from projections.explanation import Explanation
from projections.query import SQL, Parameters, Period, Query, Result


class Statement(Period, Parameters):
    """Of a client over all its counterparties, of a counterparty, or of a client's counterparty."""

    client: Id | None = None
    counterparty: Id | None = None
    currency: Annotated[Currency | None, Field(description="Default: the book's")] = None

    @model_validator(mode="after")
    def _of_somebody(self) -> Self:
        if not (self.client or self.counterparty):
            raise ValueError("client or counterparty: whose statement is wanted")
        return self


class StatementEntry(BaseModel):
    on: date
    document: str
    type: str
    debit: Decimal
    credit: Decimal


def statement(rows: Sequence[Result], given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if not rows:
        return None
    entries = [_entry(row) for row in rows if row["document"] is not None]
    opening: Decimal = rows[0]["opening"]
    debits: Decimal = sum((entry["debit"] for entry in entries), ZERO)
    credits: Decimal = sum((entry["credit"] for entry in entries), ZERO)
    return {
        "client": given["client"],
        "counterparty": given["counterparty"],
        "currency": given["currency"] or given["book_currency"],
        "opening": opening,
        "entries": entries,
        "debits": debits,
        "credits": credits,
        "closing": opening + debits - credits,
    }


def _entry(row: Result) -> dict[str, Any]:
    amount: Decimal = row["amount"]
    return {
        "on": row["on"],
        "document": row["document"],
        "type": row["type"],
        "debit": max(amount, ZERO),
        "credit": max(-amount, ZERO),
    }


queries = (
    Query(
        "/v1/receivables/statement",
        "receivables",
        "receivables_statement",
        Statement,
        StatementEntry,
        "Statement of account",
        assemble=statement,
        names={"debtor": (SQL / "receivables_debtor.sql").read_text(encoding="utf-8")},
        explained_by=Explanation(sums=("opening", "debits", "credits", "closing", "debit", "credit"), within="entry"),
    ),
)
