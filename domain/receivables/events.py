"""What happens to invoices and payments. Each event says whose, in which currency: read models see one at a time."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.values import ZERO


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Instalment(Frozen):
    due_on: date
    amount: Decimal


Instalments = tuple[Instalment, ...]


def by_due_date(*parts: Iterable[Instalment]) -> Instalments:
    """The earliest first; what is due on the same day is one item, and what is nothing none."""
    amounts: dict[date, Decimal] = {}
    for part in (part for some in parts for part in some):
        amounts[part.due_on] = amounts.get(part.due_on, ZERO) + part.amount
    return tuple(Instalment(due_on=due_on, amount=amount) for due_on, amount in sorted(amounts.items()) if amount)


class Issued(Event, type="invoice.issued"):
    """``terms`` are the instalments, at least one; they add up to ``amount``."""

    invoice: str
    client: str
    counterparty: str
    amount: Decimal
    currency: str
    issued_on: date
    terms: tuple[Instalment, ...]
    lines: list[dict[str, str]] = []
    contract: str | None = None
    deal: str | None = None


class Credited(Event, type="invoice.credited"):
    """A credit note. ``parts`` are what it takes off each instalment."""

    invoice: str
    credit_note: str
    client: str
    counterparty: str
    currency: str
    amount: Decimal
    parts: tuple[Instalment, ...]
    reason: str


class WrittenOff(Event, type="invoice.written_off"):
    """Bad debt. ``parts`` are what is given up of each instalment."""

    invoice: str
    client: str
    counterparty: str
    currency: str
    amount: Decimal
    parts: tuple[Instalment, ...]
    reason: str


class Cancelled(Event, type="invoice.cancelled"):
    """An invoice that should not have been; ``parts`` are all of its instalments."""

    invoice: str
    client: str
    counterparty: str
    currency: str
    amount: Decimal
    parts: tuple[Instalment, ...]
    reason: str


class Received(Event, type="payment.received"):
    payment: str
    client: str
    counterparty: str
    amount: Decimal
    currency: str
    bank_account: str | None = None
    direction: str | None = None


class Allocated(Event, type="payment.allocated"):
    """A part of a payment pays an instalment of an invoice. Payment and invoice belong to one counterparty.

    A ``recovery`` pays what was written off: it is income, and the item stays as it is.
    """

    payment: str
    invoice: str
    client: str
    counterparty: str
    currency: str
    due_on: date
    amount: Decimal
    recovery: Literal[True] | None = None


class Deallocated(Event, type="payment.deallocated"):
    """A part of a payment no longer pays an instalment: of an allocation, a recovery or an offset.

    The money is ``from_counterparty``'s again, the debt ``counterparty``'s.
    """

    payment: str
    invoice: str
    client: str
    counterparty: str
    from_counterparty: str
    currency: str
    due_on: date
    amount: Decimal
    issued_on: date
    received_at: datetime
    recovery: Literal[True] | None = None


class Bounced(Event, type="payment.bounced"):
    """The bank took a payment back. ``amount`` is what had not been refunded; its allocations are undone before."""

    payment: str
    client: str
    counterparty: str
    currency: str
    amount: Decimal
    bank_account: str | None = None
    direction: str | None = None
    reason: str | None = None


class Refunded(Event, type="payment.refunded"):
    payment: str
    client: str
    counterparty: str
    currency: str
    amount: Decimal
    bank_account: str | None = None
    direction: str | None = None


class Offset(Event, type="receivable.offset"):
    """Money of one counterparty pays an instalment of another's invoice, within one client."""

    payment: str
    invoice: str
    client: str
    from_counterparty: str
    counterparty: str
    currency: str
    due_on: date
    amount: Decimal


class Dated(NamedTuple):
    """A decided event, and when it counts: nothing about a document counts before the document itself."""

    event: Event
    at: datetime
