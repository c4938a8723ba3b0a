"""The funnel: where deals stand, and how far those opened in a period have come.

What each figure means: docs/reference/figures.md.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from domain.values import Currency, Day, Id
from projections.query import Parameters, Query, Result


class OfPipeline(Parameters):
    """Amounts are added up in one currency: the book's, unless told."""

    pipeline: Id
    currency: Currency | None = None


class OpenedIn(Parameters):
    pipeline: Id
    opened_from: Day
    opened_to: Day


class StageNow(BaseModel):
    stage: str
    name: str
    deals: int
    amount: Decimal


class StageReached(BaseModel):
    stage: str
    name: str
    reached: int
    visited: int
    step_conversion: Decimal | None


def snapshot(rows: Sequence[Result], given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if not rows:
        return None
    outcomes = {row["outcome"]: {"deals": row["deals"], "amount": row["amount"]} for row in rows if row["outcome"]}
    stages = [row for row in rows if row["stage"]]
    return {
        "pipeline": given["pipeline"],
        "currency": given["currency"] or given["book_currency"],
        "stages": [{name: row[name] for name in ("stage", "name", "deals", "amount")} for row in stages],
        "won": outcomes["won"],
        "lost": outcomes["lost"],
        "weighted": sum((row["weighted"] for row in stages), Decimal(0)),
    }


def cohort(rows: Sequence[Result], given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if not rows:
        return None
    columns = ("stage", "name", "reached", "visited", "step_conversion")
    first = rows[0]
    return {
        "pipeline": given["pipeline"],
        "opened": first["opened"],
        "stages": [{name: row[name] for name in columns} for row in rows],
        "won": first["won"],
        "lost": first["lost"],
        "open": first["opened"] - first["won"] - first["lost"],
        "conversion": first["conversion"],
    }


queries = (
    Query(
        "/v1/funnel/snapshot", "deals", "funnel_snapshot", OfPipeline, StageNow, "Where deals stand", assemble=snapshot
    ),
    Query(
        "/v1/funnel/cohort",
        "deals",
        "funnel_cohort",
        OpenedIn,
        StageReached,
        "How far deals have come",
        assemble=cohort,
    ),
)
