"""Deals: opened early, moved through a pipeline's stages, won or lost."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.pipelines import Pipeline, Stage
from domain.refusal import Refusal, already_exists


class Opened(Event, type="deal.opened"):
    deal: str
    client: str
    pipeline: str
    stage: str
    amount: Decimal | None = None
    currency: str | None = None
    owner: str | None = None
    source: str | None = None
    items: list[dict[str, str]] = []


class Moved(Event, type="deal.moved"):
    deal: str
    client: str
    pipeline: str
    from_stage: str
    stage: str


class Won(Event, type="deal.won"):
    deal: str
    client: str
    pipeline: str
    stage: str


class Lost(Event, type="deal.lost"):
    deal: str
    client: str
    pipeline: str
    stage: str
    reason: str
    note: str | None = None


class Deal(Aggregate, kind="deal"):
    client: str = ""
    pipeline: str = ""
    stage: str = ""
    outcome: Literal["open", "won", "lost"] = "open"
    has: tuple[str, ...] = ()
    changed_at: datetime | None = None

    def open(self, event: Opened, pipeline: Pipeline) -> Opened:
        if self.exists:
            raise already_exists("deal", self.id)
        _check_requirements(pipeline.stage(event.stage), _known(event))
        return event

    def move(self, stage: str, pipeline: Pipeline, at: datetime) -> Moved:
        self._check_change(at)
        pipeline.check_move(self.stage, stage)
        _check_requirements(pipeline.stage(stage), self.has)
        return Moved(deal=self.id, client=self.client, pipeline=self.pipeline, from_stage=self.stage, stage=stage)

    def win(self, pipeline: Pipeline, at: datetime) -> Won:
        self._check_change(at)
        pipeline.check_win(self.stage)
        return Won(deal=self.id, client=self.client, pipeline=self.pipeline, stage=self.stage)

    def lose(self, reason: str, note: str | None, at: datetime) -> Lost:
        self._check_change(at)
        return Lost(
            deal=self.id, client=self.client, pipeline=self.pipeline, stage=self.stage, reason=reason, note=note
        )

    def _check_change(self, at: datetime) -> None:
        """An open deal changes forward in time: a move put before the last one would have been decided on a later
        stage than it starts from."""
        if self.outcome != "open":
            raise Refusal("deal_closed", f"The deal {self.id} is {self.outcome}.", outcome=self.outcome)
        if self.changed_at and at < self.changed_at:
            raise Refusal(
                "out_of_order",
                f"The deal {self.id} changed last at {self.changed_at.isoformat()}, which is after {at.isoformat()}.",
                changed_at=self.changed_at.isoformat(),
            )

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Opened(client=client, pipeline=pipeline, stage=stage) as event:
                changes: Changes = {"client": client, "pipeline": pipeline, "stage": stage, "has": _known(event)}
            case Moved(stage=stage):
                changes = {"stage": stage}
            case Won():
                changes = {"outcome": "won"}
            case Lost():
                changes = {"outcome": "lost"}
            case _:
                return {}
        return {**changes, "changed_at": entry.effective_at}


def _known(event: Opened) -> tuple[str, ...]:
    return tuple(fact for fact in ("amount", "owner", "source", "items") if getattr(event, fact) not in (None, []))


def _check_requirements(stage: Stage, known: tuple[str, ...]) -> None:
    if missing := [fact for fact in stage.requires if fact not in known]:
        raise Refusal(
            "requirement_missing",
            f"The stage {stage.stage} requires {', '.join(missing)}.",
            stage=stage.stage,
            missing=missing,
        )
