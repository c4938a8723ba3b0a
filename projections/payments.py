"""The register of payments: what came in and went back, by client, bank account and direction."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator

from domain.receivables import Bounced, Received, Refunded
from domain.values import Currency, Id
from projections.explanation import Explanation
from projections.query import ListParameters, Period, Query, comma_separated
from projections.shapes import Register, Row

payments = Register(
    "payments",
    dimensions={"client": "text", "bank_account": "text", "direction": "text", "currency": "text"},
    resources=("received", "refunded", "bounced"),
)


@payments.on(Received)
def received(e: Received) -> Row:
    return e.client, e.bank_account, e.direction, e.currency, e.amount, Decimal(0), Decimal(0)


@payments.on(Refunded)
def refunded(e: Refunded) -> Row:
    return e.client, e.bank_account, e.direction, e.currency, Decimal(0), e.amount, Decimal(0)


@payments.on(Bounced)
def bounced(e: Bounced) -> Row:
    return e.client, e.bank_account, e.direction, e.currency, Decimal(0), Decimal(0), e.amount


Dimension = Literal["client", "bank_account", "direction"]


class Summary(Period, ListParameters):
    """Without ``group_by`` by all three."""

    group_by: Annotated[list[Dimension], BeforeValidator(comma_separated)] = ["client", "bank_account", "direction"]
    client: Id | None = None
    bank_account: Id | None = None
    direction: Id | None = None
    currency: Currency | None = None


class SummaryRow(BaseModel):
    client: str | None
    bank_account: str | None
    direction: str | None
    currency: str
    received: Decimal
    refunded: Decimal
    bounced: Decimal
    net: Decimal


queries = (
    Query(
        "/v1/payments/summary",
        "receivables",
        "payments_summary",
        Summary,
        SummaryRow,
        "Payments by bank account, direction and client",
        order=("client", "bank_account", "direction", "currency"),
        explained_by=Explanation(
            keys=("client", "bank_account", "direction", "currency"), sums=("received", "refunded", "bounced", "net")
        ),
    ),
)
