"""Deals: their cards, and the histories that every figure of the funnel is computed from.

``deal_history`` has a row a move and nothing else, so that its rows are entries; what a deal is worth and whose it is
goes its own ways in ``deal_facts``. ``touch`` and ``client_segment`` are kept here, too: an answer is of one progress.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from domain.clients import Changed, Registered
from domain.deals import Assigned, Estimated, Lost, Moved, Opened, Reopened, Specified, Won
from domain.interactions import Logged
from domain.pipelines import Defined
from domain.values import minor_units
from projections.cards import card_queries, patch
from projections.projection import Projection
from projections.query import Result
from projections.shapes import Card, Fact, History, Row

deal = Card(
    "deal",
    key="deal",
    facts={
        "client": Fact("text", "The client."),
        "pipeline": Fact("text", "The pipeline."),
        "stage": Fact("text", "Where it stands: a stage of the pipeline, by its id."),
        "outcome": Fact("text", "open, won or lost."),
        "amount": Fact("numeric", "What it is worth, as far as that is known."),
        "currency": Fact("text", "ISO 4217."),
        "owner": Fact("text", "Who looks after it."),
        "source": Fact("text", "Where it came from: a campaign, a channel."),
        "reason": Fact("text", "Why it was lost, in one word."),
        "note": Fact("text", "For people to read."),
        "items": Fact("jsonb", "What it is about: products, quantities, prices."),
    },
)
pipeline = Card(
    "pipeline",
    key="pipeline",
    facts={
        "policy": Fact("text", "Which moves it allows."),
        "stages": Fact("jsonb", "In their order; requires: the facts that a deal must have to enter."),
    },
)
deal_history = History(
    "deal_history",
    subject="deal",
    states={"pipeline": "text", "stage": "text", "outcome": "text", "reason": "text"},
)
deal_facts = History(
    "deal_facts",
    subject="deal",
    states={
        "pipeline": "text",
        "client": "text",
        "amount": "numeric",
        "currency": "text",
        "minor_units": "integer",
        "owner": "text",
        "source": "text",
    },
)
touch = History("touch", subject="client", states={"source": "text"})
client_segment = History("client_segment", subject="client", states={"segment": "text"})


@deal_history.on(Opened, Moved, Reopened)
def entered(e: Opened | Moved | Reopened) -> Row:
    return deal_history.enter(deal=e.deal, pipeline=e.pipeline, stage=e.stage, outcome="open")


@deal_history.on(Won)
def closed_won(e: Won) -> Row:
    return deal_history.enter(deal=e.deal, pipeline=e.pipeline, stage=e.stage, outcome="won")


@deal_history.on(Lost)
def closed_lost(e: Lost) -> Row:
    return deal_history.enter(deal=e.deal, pipeline=e.pipeline, stage=e.stage, outcome="lost", reason=e.reason)


@deal_facts.on(Opened)
def told_first(e: Opened) -> Row:
    return deal_facts.enter(
        deal=e.deal,
        pipeline=e.pipeline,
        client=e.client,
        amount=e.amount,
        currency=e.currency,
        minor_units=e.currency and minor_units(e.currency),
        owner=e.owner,
        source=e.source,
    )


@deal_facts.on(Estimated)
def worth(e: Estimated) -> Row:
    return deal_facts.enter(
        deal=e.deal,
        pipeline=e.pipeline,
        client=e.client,
        amount=e.amount,
        currency=e.currency,
        minor_units=minor_units(e.currency),
    )


@deal_facts.on(Assigned)
def owned(e: Assigned) -> Row:
    return deal_facts.enter(deal=e.deal, pipeline=e.pipeline, client=e.client, owner=e.owner)


@touch.on(Logged)
def touched(e: Logged) -> Row:
    return touch.enter(client=e.client, source=e.source or e.kind)


@client_segment.on(Registered, Changed)
def belongs(e: Registered | Changed) -> Iterator[Row]:
    if "segment" in e.attributes:
        yield client_segment.enter(client=e.client, segment=e.attributes["segment"])


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


@deal.on(Reopened)
def reopened(e: Reopened) -> Row:
    return patch(e.deal, e, "stage", outcome="open", reason=None, note=None)


@deal.on(Estimated)
def estimated(e: Estimated) -> Row:
    return patch(e.deal, e, "amount", "currency")


@deal.on(Specified)
def specified(e: Specified) -> Row:
    return patch(e.deal, e, "items")


@deal.on(Assigned)
def assigned(e: Assigned) -> Row:
    return patch(e.deal, e, "owner")


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


projection = Projection("deals", 3, (deal_history, deal_facts, touch, client_segment, deal, pipeline))
queries = (
    *card_queries("/v1/deals", deal, projection, DealCard, sql_one="deal_one", assemble=with_stages),
    *card_queries("/v1/pipelines", pipeline, projection, PipelineCard),
)
