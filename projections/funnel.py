"""The funnel: where deals stand, and how far those opened in a period have come.

What each figure means: docs/reference/figures.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, create_model

from domain.values import Currency, Day, Id
from projections.explanation import Explanation
from projections.query import SQL, Assemble, ListParameters, Parameters, Query, Result, comma_separated

Dimension = Literal["owner", "source", "segment"]
Grouping = Annotated[list[Dimension], BeforeValidator(comma_separated)]
Money = Annotated[Currency | None, Field(description="Amounts in this currency; default: the book's")]

#: What several figures' SQL begin with, and their explanations; who comes first has later ones in it.
PARTS = {
    name: (SQL / f"funnel_{name}.sql").read_text(encoding="utf-8")
    for name in ("standing", "visits", "credit", "closings", "moves", "days", "worth")
}


class OfPipeline(Parameters):
    pipeline: Id


class Standing(OfPipeline):
    currency: Money = None
    group_by: Annotated[Grouping, Field(description="Any of owner, source, segment (the client's attribute)")] = []


class OpenedIn(OfPipeline):
    opened_from: Day
    opened_to: Day


class ClosedIn(OfPipeline):
    closed_from: Day
    closed_to: Day


class Losses(ClosedIn, ListParameters):
    currency: Money = None


class Moves(OfPipeline, ListParameters):
    opened_from: Annotated[Day | None, Field(description="Of deals opened on this day or later")] = None
    opened_to: Annotated[Day | None, Field(description="Of deals opened on this day or earlier")] = None


class Attribution(Losses):
    until: Annotated[Literal["opening", "winning"], Field(description="Touches at or before")] = "opening"
    method: Literal["first", "last", "linear"] = "first"


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


class WinRate(BaseModel):
    won: int
    lost: int
    rate: Decimal | None


class Loss(BaseModel):
    stage: str
    reason: str
    deals: int
    amount: Decimal


_transition: dict[str, Any] = {"from": (str, ...), "to": (str, ...), "deals": (int, ...)}
Transition: type[BaseModel] = create_model("Transition", **_transition)


class Duration(BaseModel):
    stage: str
    visits: int
    mean_days: Decimal | None
    median_days: Decimal | None
    p90_days: Decimal | None
    per_deal_mean_days: Decimal | None
    open_visits: int


class Cycle(BaseModel):
    deals: int
    mean_days: Decimal | None
    median_days: Decimal | None
    p90_days: Decimal | None


class Attributed(BaseModel):
    source: str | None
    deals: int
    amount: Decimal


def snapshot(rows: Sequence[Result], given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The rows are of one state and group each; a group's answer has all states."""
    if not rows:
        return None
    of = {"pipeline": given["pipeline"], "currency": given["currency"] or given["book_currency"]}
    states = {row["state"]: row for row in rows}
    if not given["group_by"]:
        return {**of, **_standing(states, rows)}
    groups: dict[tuple[str | None, ...], list[Result]] = {}
    for row in rows:
        if row["deals"]:
            groups.setdefault(tuple(row[dimension] for dimension in given["group_by"]), []).append(row)
    return {
        **of,
        "groups": [
            {**dict(zip(given["group_by"], key, strict=True)), **_standing(states, groups[key])}
            for key in sorted(groups, key=lambda key: [(name is None, name or "") for name in key])
        ],
    }


def _standing(states: Mapping[str, Result], rows: Iterable[Result]) -> Mapping[str, Any]:
    found = {state: {"deals": 0, "amount": Decimal(0)} for state in states}
    found |= {row["state"]: {"deals": row["deals"], "amount": row["amount"]} for row in rows}
    outcomes = {outcome: found.pop(outcome) for outcome in ("won", "lost")}
    return {
        "stages": [{"stage": stage, "name": states[stage]["name"], **figures} for stage, figures in found.items()],
        **outcomes,
        "weighted": sum((found[stage]["amount"] * states[stage]["probability"] for stage in found), Decimal(0)),
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


def win_rate(rows: Sequence[Result], given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return {"pipeline": given["pipeline"], **rows[0]} if rows else None


def cycle(rows: Sequence[Result], given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    outcomes = {row["outcome"]: {name: row[name] for name in Cycle.model_fields} for row in rows}
    return {"pipeline": given["pipeline"], "won": outcomes["won"], "lost": outcomes["lost"]} if rows else None


def _answer(
    name: str,
    parameters: type[Parameters],
    row: type[BaseModel],
    title: str,
    assemble: Assemble,
    explained_by: Explanation,
) -> Query:
    return Query(
        f"/v1/funnel/{name}",
        "deals",
        f"funnel_{name.replace('-', '_')}",
        parameters,
        row,
        title,
        assemble=assemble,
        names=PARTS,
        explained_by=explained_by,
    )


def _list(
    name: str,
    parameters: type[ListParameters],
    row: type[BaseModel],
    title: str,
    order: tuple[str, ...],
    explained_by: Explanation,
) -> Query:
    return Query(
        f"/v1/funnel/{name}",
        "deals",
        f"funnel_{name}",
        parameters,
        row,
        title,
        order=order,
        names=PARTS,
        explained_by=explained_by,
    )


#: How long something took is explained by what each took, in seconds.
_SPANS = {"median_days": ("seconds",), "p90_days": ("seconds",)}

queries = (
    _answer(
        "snapshot",
        Standing,
        StageNow,
        "Where deals stand",
        snapshot,
        Explanation(keys=("owner", "source", "segment"), within="stage", sums=("deals", "amount", "weighted")),
    ),
    _answer(
        "cohort",
        OpenedIn,
        StageReached,
        "How far deals have come",
        cohort,
        Explanation(
            within="stage",
            sums=("opened", "reached", "visited", "won", "lost", "open"),
            ratios={"step_conversion": ("reached", "next"), "conversion": ("opened", "won")},
        ),
    ),
    _answer(
        "win-rate",
        ClosedIn,
        WinRate,
        "What part of the closed deals was won",
        win_rate,
        Explanation(sums=("won", "lost"), ratios={"rate": ("won", "closed")}),
    ),
    _list(
        "losses",
        Losses,
        Loss,
        "From which stage deals were lost, and why",
        ("line", "reason"),
        Explanation(keys=("stage", "reason"), sums=("deals", "amount")),
    ),
    _list(
        "transitions",
        Moves,
        Transition,
        "Moves from state to state",
        ("line",),
        Explanation(keys=("from", "to"), sums=("deals",)),
    ),
    _list(
        "durations",
        Moves,
        Duration,
        "How long deals stay in a stage",
        ("line",),
        Explanation(
            keys=("stage",),
            sums=("visits", "open_visits"),
            ratios={"mean_days": ("seconds", "visits"), **_SPANS, "per_deal_mean_days": ("seconds", "deals")},
        ),
    ),
    _answer(
        "cycle",
        ClosedIn,
        Cycle,
        "How long it takes from opening to winning or losing",
        cycle,
        Explanation(within="outcome", sums=("deals",), ratios={"mean_days": ("seconds", "deals"), **_SPANS}),
    ),
    _list(
        "attribution",
        Attribution,
        Attributed,
        "What led to the deals that were won",
        ("source",),
        Explanation(keys=("source",), sums=("deals", "amount")),
    ),
)
