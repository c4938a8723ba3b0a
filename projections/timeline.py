"""A client's timeline: everything that happened between the company and the client, in order."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from pydantic import BaseModel

from domain import clients, deals, interactions, receivables, stock
from domain.values import Id
from projections.projection import Projection
from projections.query import ListParameters, Query
from projections.shapes import History, Row

timeline = History(
    "timeline",
    subject="client",
    states={"about": "text", "summary": "text", "amount": "numeric", "currency": "text"},
)


@timeline.on(clients.Registered)
def client_registered(e: clients.Registered) -> Row:
    return timeline.enter(client=e.client, about=e.client, summary=e.name)


@timeline.on(interactions.Logged)
def interaction_logged(e: interactions.Logged) -> Row:
    kind = f"{e.kind}, {e.direction}" if e.direction else e.kind
    return timeline.enter(client=e.client, about=e.interaction, summary=f"{kind}: {e.subject}" if e.subject else kind)


@timeline.on(deals.Opened)
def deal_opened(e: deals.Opened) -> Row:
    return timeline.enter(client=e.client, about=e.deal, summary=e.stage, amount=e.amount, currency=e.currency)


@timeline.on(deals.Moved)
def deal_moved(e: deals.Moved) -> Row:
    return timeline.enter(client=e.client, about=e.deal, summary=f"{e.from_stage} → {e.stage}")


@timeline.on(deals.Won)
def deal_won(e: deals.Won) -> Row:
    return timeline.enter(client=e.client, about=e.deal, summary=f"from {e.stage}")


@timeline.on(deals.Lost)
def deal_lost(e: deals.Lost) -> Row:
    return timeline.enter(client=e.client, about=e.deal, summary=f"from {e.stage}: {e.reason}")


@timeline.on(deals.Reopened)
def deal_reopened(e: deals.Reopened) -> Row:
    return timeline.enter(client=e.client, about=e.deal, summary=f"{e.outcome} → {e.stage}")


@timeline.on(deals.Estimated)
def deal_estimated(e: deals.Estimated) -> Row:
    return timeline.enter(client=e.client, about=e.deal, amount=e.amount, currency=e.currency)


@timeline.on(deals.Specified)
def deal_specified(e: deals.Specified) -> Row:
    return timeline.enter(client=e.client, about=e.deal, summary=f"items: {len(e.items)}")


@timeline.on(deals.Assigned)
def deal_assigned(e: deals.Assigned) -> Row:
    return timeline.enter(client=e.client, about=e.deal, summary=f"to {e.owner}")


@timeline.on(clients.Changed)
def client_changed(e: clients.Changed) -> Row:
    changes = [e.name, e.source, *(f"{name}: {value or '–'}" for name, value in {**e.attributes, **e.contacts}.items())]
    return timeline.enter(client=e.client, about=e.client, summary=", ".join(change for change in changes if change))


@timeline.on(clients.CounterpartyAdded)
def counterparty_added(e: clients.CounterpartyAdded) -> Row:
    return timeline.enter(client=e.client, about=e.counterparty, summary=e.name)


@timeline.on(clients.CounterpartyRetired)
def counterparty_retired(e: clients.CounterpartyRetired) -> Row:
    return timeline.enter(client=e.client, about=e.counterparty, summary=None)


@timeline.on(clients.CreditLimitSet)
def credit_limit_set(e: clients.CreditLimitSet) -> Row:
    return timeline.enter(client=e.client, about=e.client, amount=e.amount, currency=e.currency)


@timeline.on(stock.Shipped)
def stock_shipped(e: stock.Shipped) -> Iterator[Row]:
    if e.client:
        about, lot = e.document or e.deal or e.product, f", lot {e.lot}" if e.lot else ""
        yield timeline.enter(client=e.client, about=about, summary=f"{e.quantity} {e.product}{lot}")


@timeline.on(receivables.Issued)
def invoice_issued(e: receivables.Issued) -> Row:
    return timeline.enter(client=e.client, about=e.invoice, amount=e.amount, currency=e.currency)


@timeline.on(receivables.Received)
def payment_received(e: receivables.Received) -> Row:
    return timeline.enter(client=e.client, about=e.payment, amount=e.amount, currency=e.currency)


@timeline.on(receivables.Credited)
def invoice_credited(e: receivables.Credited) -> Row:
    return _money(e, about=e.credit_note, summary=f"{e.invoice}: {e.reason}")


@timeline.on(receivables.WrittenOff, receivables.Cancelled)
def invoice_given_up(e: receivables.WrittenOff | receivables.Cancelled) -> Row:
    return _money(e, about=e.invoice, summary=e.reason)


@timeline.on(receivables.Allocated)
def payment_allocated(e: receivables.Allocated) -> Row:
    return _money(e, about=e.payment, summary=f"→ {e.invoice}, written off" if e.recovery else f"→ {e.invoice}")


@timeline.on(receivables.Deallocated)
def payment_deallocated(e: receivables.Deallocated) -> Row:
    return _money(e, about=e.payment, summary=f"← {e.invoice}")


@timeline.on(receivables.Bounced)
def payment_bounced(e: receivables.Bounced) -> Row:
    return _money(e, about=e.payment, summary=e.reason)


@timeline.on(receivables.Refunded)
def payment_refunded(e: receivables.Refunded) -> Row:
    return _money(e, about=e.payment, summary=None)


@timeline.on(receivables.Offset)
def receivable_offset(e: receivables.Offset) -> Row:
    return _money(e, about=e.payment, summary=f"{e.from_counterparty} → {e.counterparty}, {e.invoice}")


class _Money(Protocol):
    @property
    def client(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def currency(self) -> str: ...


def _money(e: _Money, about: str, summary: str | None) -> Row:
    return timeline.enter(client=e.client, about=about, summary=summary, amount=e.amount, currency=e.currency)


class OfClient(ListParameters):
    client: Id


class TimelineRow(BaseModel):
    effective_at: datetime
    recorded_at: datetime
    position: int
    type: str
    about: str
    summary: str | None
    amount: Decimal | None
    currency: str | None


projection = Projection("timeline", 2, (timeline,))
queries = (
    Query(
        "/v1/clients/{client}/timeline",
        "timeline",
        "timeline",
        OfClient,
        TimelineRow,
        "A client's timeline",
        order=("effective_at", "position", "line"),
        explained_by="each row tells of one event, and names it",
    ),
)
