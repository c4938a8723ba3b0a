"""The funnel's figures against a slow model: a list of changes for each deal."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain import deals
from tests.properties.books import Books
from tests.properties.histories import MONTHS, PIPELINE, Step, amounts, days, interleaved, moments, periods, placed
from tests.properties.moments import end_of

STAGES = ["a", "b", "c"]
PROBABILITY = {stage.stage: stage.probability for stage in PIPELINE.stages}
DEFINED = Step("pipeline-p", PIPELINE, MONTHS[0] - timedelta(days=100))


hours = st.just(0) | st.integers(1, 400)
as_ofs = st.just(date(2026, 12, 31)) | days | moments
cohorts = st.just((date(2025, 1, 1), date(2026, 12, 31))) | periods


class Change(NamedTuple):
    at: datetime
    position: int
    stage: str
    outcome: str


class Deal(NamedTuple):
    worth: Decimal
    """In the book's currency."""
    changes: list[Change]


@st.composite
def lives(draw: st.DrawFn, id: str) -> list[Step]:
    """A deal that is opened somewhere, moves freely forward in time, and may be closed."""
    at, stage = draw(moments), draw(st.sampled_from(STAGES))
    where = {"deal": id, "client": "C1", "pipeline": "p"}
    money = draw(st.sampled_from(["EUR", "USD", None]))
    amount = draw(amounts) if money else None
    events: list[tuple[datetime, Any]] = [(at, deals.Opened(**where, stage=stage, amount=amount, currency=money))]
    for to, later in draw(st.lists(st.tuples(st.sampled_from(STAGES), hours), max_size=4)):
        at += timedelta(hours=later)
        events.append((at, deals.Moved(**where, from_stage=stage, stage=to)))
        stage = to
    at += timedelta(hours=draw(hours))
    match draw(st.sampled_from(["open", "won", "lost"])):
        case "won":
            events.append((at, deals.Won(**where, stage=stage)))
        case "lost":
            events.append((at, deals.Lost(**where, stage=stage, reason="price")))
    return [Step(f"deal-{id}", event, at) for at, event in events]


@st.composite
def funnels(draw: st.DrawFn) -> list[Step]:
    each = [draw(lives(f"D{n}")) for n in range(draw(st.integers(0, 5)))]
    return [DEFINED, *draw(interleaved([step for steps in each for step in steps]))]


def outcome(event: object) -> str:
    return {deals.Won: "won", deals.Lost: "lost"}.get(type(event), "open")


def seen(steps: Sequence[Step], as_of: datetime) -> list[Deal]:
    """The deals as of a moment, each with its changes in order."""
    changes: dict[str, list[Change]] = {}
    worth: dict[str, Decimal] = {}
    for position, step in enumerate(steps, start=1):
        event = step.event
        if step.effective_at > as_of or event is PIPELINE:
            continue
        changes.setdefault(step.key, []).append(Change(step.effective_at, position, event.stage, outcome(event)))
        if isinstance(event, deals.Opened) and event.currency == "EUR":
            worth[step.key] = event.amount
    return [Deal(worth.get(key, Decimal(0)), sorted(each)) for key, each in changes.items()]


def moment_of(as_of: datetime | date) -> datetime:
    return end_of(as_of, ZoneInfo("UTC"))


@given(steps=funnels(), as_of=as_ofs)
def test_the_snapshot(books: Books, steps: list[Step], as_of: datetime | date) -> None:
    books.wipe()
    books.project(placed(steps))
    answer = books.body("/v1/funnel/snapshot", pipeline="p", as_of=as_of)
    standing = [(deal.changes[-1], deal.worth) for deal in seen(steps, moment_of(as_of))]

    def figures(stage: str | None, outcome: str) -> dict[str, Any]:
        there = [worth for last, worth in standing if last.outcome == outcome and stage in (None, last.stage)]
        return {"deals": len(there), "amount": sum(there)}

    assert [{name: row[name] for name in ("stage", "deals", "amount")} for row in answer["stages"]] == [
        {"stage": stage, **figures(stage, "open")} for stage in STAGES
    ]
    assert (answer["won"], answer["lost"]) == (figures(None, "won"), figures(None, "lost"))
    assert answer["weighted"] == sum(figures(stage, "open")["amount"] * PROBABILITY[stage] for stage in STAGES)


@given(steps=funnels(), as_of=as_ofs)
def test_entries_less_exits_are_the_deals_standing_there(
    books: Books, steps: list[Step], as_of: datetime | date
) -> None:
    books.wipe()
    books.project(placed(steps))
    answer = books.body("/v1/funnel/snapshot", pipeline="p", as_of=as_of)
    visits = books.rows(
        "SELECT stage, count(*) - count(*) FILTER (WHERE left_at <= %s) FROM deal_history_interval"
        " WHERE outcome = 'open' AND effective_at <= %s GROUP BY stage",
        *[moment_of(as_of)] * 2,
    )
    assert {row["stage"]: row["deals"] for row in answer["stages"]} == {**dict.fromkeys(STAGES, 0), **dict(visits)}


def share(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP) if whole else None


@given(steps=funnels(), as_of=as_ofs, period=cohorts)
def test_the_cohort(books: Books, steps: list[Step], as_of: datetime | date, period: tuple[date, date]) -> None:
    first, last = period
    books.wipe()
    books.project(placed(steps))
    answer = books.body("/v1/funnel/cohort", pipeline="p", opened_from=first, opened_to=last, as_of=as_of)
    cohort = [
        deal.changes
        for deal in seen(steps, moment_of(as_of))
        if first <= deal.changes[0].at.astimezone(UTC).date() <= last
    ]
    ends = [changes[-1].outcome for changes in cohort]
    counts = [ends.count(outcome) for outcome in ("won", "lost", "open")]
    assert [answer["opened"], answer["won"], answer["lost"], answer["open"]] == [len(cohort), *counts]
    assert answer["conversion"] == share(counts[0], len(cohort))
    furthest = [
        len(STAGES)
        if any(change.outcome == "won" for change in changes)
        else max(STAGES.index(change.stage) for change in changes)
        for changes in cohort
    ]
    reached = [sum(far >= n for far in furthest) for n in range(len(STAGES))]
    entered = [{change.stage for change in changes if change.outcome == "open"} for changes in cohort]
    assert [row["reached"] for row in answer["stages"]] == reached
    assert [row["visited"] for row in answer["stages"]] == [sum(stage in each for each in entered) for stage in STAGES]
    steps_on = [*reached[1:], counts[0]]
    assert [row["step_conversion"] for row in answer["stages"]] == list(map(share, steps_on, reached))


def test_a_pipeline_defined_ahead_is_there_whatever_the_clock_says(books: Books) -> None:
    ahead = datetime(2900, 1, 1, tzinfo=UTC)
    books.project(placed([Step("pipeline-p", PIPELINE, ahead)]))
    for as_of in (None, ahead - timedelta(days=1), ahead):
        snapshot = books.body("/v1/funnel/snapshot", pipeline="p", as_of=as_of, known_at=1)
        assert [row["stage"] for row in snapshot["stages"]] == STAGES
        assert books.items("/v1/funnel/transitions", pipeline="p", as_of=as_of, known_at=1) == []
    assert books.answer("/v1/funnel/snapshot", pipeline="p", known_at=0) is None
