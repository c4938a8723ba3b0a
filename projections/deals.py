"""Deals: their cards, and the history of their stages that every figure of the funnel is computed from."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from domain.deals import Lost, Moved, Opened, Won
from domain.pipelines import Defined
from projections.cards import card_queries, patch
from projections.projection import Projection
from projections.query import Result
from projections.shapes import Card, History, Row

deal = Card("deal", key="deal")
pipeline = Card("pipeline", key="pipeline")
deal_history = History(
    "deal_history",
    subject="deal",
    states={
        "pipeline": "text",
        "stage": "text",
        "outcome": "text",
        "amount": "numeric",
        "currency": "text",
        "owner": "text",
        "source": "text",
        "reason": "text",
    },
)


@deal_history.on(Opened)
def entered_first(e: Opened) -> Row:
    return deal_history.enter(
        deal=e.deal,
        pipeline=e.pipeline,
        stage=e.stage,
        outcome="open",
        amount=e.amount,
        currency=e.currency,
        owner=e.owner,
        source=e.source,
    )


@deal_history.on(Moved)
def entered(e: Moved) -> Row:
    return deal_history.enter(deal=e.deal, pipeline=e.pipeline, stage=e.stage, outcome="open")


@deal_history.on(Won)
def closed_won(e: Won) -> Row:
    return deal_history.enter(deal=e.deal, pipeline=e.pipeline, stage=e.stage, outcome="won")


@deal_history.on(Lost)
def closed_lost(e: Lost) -> Row:
    return deal_history.enter(deal=e.deal, pipeline=e.pipeline, stage=e.stage, outcome="lost", reason=e.reason)


@deal.on(Opened)
def opened(e: Opened) -> Row:
    return patch(
        e.deal, e, "client", "pipeline", "stage", "amount", "currency", "owner", "source", "items", outcome="open"
    )


@deal.on(Moved)
def moved(e: Moved) -> Row:
    return patch(e.deal, e, "stage")


@deal.on(Won)
def won(e: Won) -> Row:
    return patch(e.deal, e, outcome="won")


@deal.on(Lost)
def lost(e: Lost) -> Row:
    return patch(e.deal, e, "reason", "note", outcome="lost")


@pipeline.on(Defined)
def defined(e: Defined) -> Row:
    return patch(e.pipeline, e, "policy", "stages")


class DealCard(BaseModel):
    deal: str
    client: str
    pipeline: str
    stage: str
    outcome: str
    amount: str | None = None
    currency: str | None = None
    owner: str | None = None
    source: str | None = None
    reason: str | None = None
    note: str | None = None
    items: list[dict[str, str]]


class PipelineCard(BaseModel):
    pipeline: str
    policy: str
    stages: list[dict[str, Any]]


def with_stages(rows: Sequence[Result], _: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The card with its stages so far: the rows repeat the card, one row a stage."""
    if not rows:
        return None
    stay = ("stage", "outcome", "entered_at", "left_at", "position")
    stages = [{column: row[f"stay_{column}"] for column in stay} for row in rows]
    return {"deal": rows[0]["deal"], "facts": rows[0]["facts"], "position": rows[0]["position"], "stages": stages}


projection = Projection("deals", 1, (deal_history, deal, pipeline))
queries = (
    *card_queries("/v1/deals", deal, projection, DealCard, sql_one="deal_one", assemble=with_stages),
    *card_queries("/v1/pipelines", pipeline, projection, PipelineCard),
)
