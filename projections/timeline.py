"""A client's timeline: everything that happened between the company and the client, in order."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from domain import clients, deals, interactions, receivables
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


@timeline.on(receivables.Issued)
def invoice_issued(e: receivables.Issued) -> Row:
    return timeline.enter(client=e.client, about=e.invoice, amount=e.amount, currency=e.currency)


@timeline.on(receivables.Received)
def payment_received(e: receivables.Received) -> Row:
    return timeline.enter(client=e.client, about=e.payment, amount=e.amount, currency=e.currency)


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


projection = Projection("timeline", 1, (timeline,))
queries = (
    Query(
        "/v1/clients/{client}/timeline",
        "timeline",
        "timeline",
        OfClient,
        TimelineRow,
        "A client's timeline",
        order=("effective_at", "position", "line"),
    ),
)
