"""Deals: opened early, moved through a pipeline's stages, won or lost, perhaps opened again.

Its stages change forward in time. What it is worth, what it is about and whose it is may be told later than it was so.
"""

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


class Reopened(Event, type="deal.reopened"):
    """``outcome`` is the one that it had."""

    deal: str
    client: str
    pipeline: str
    outcome: Literal["won", "lost"]
    stage: str


class Estimated(Event, type="deal.estimated"):
    deal: str
    client: str
    pipeline: str
    amount: Decimal
    currency: str


class Specified(Event, type="deal.specified"):
    deal: str
    client: str
    pipeline: str
    items: list[dict[str, str]]


class Assigned(Event, type="deal.assigned"):
    deal: str
    client: str
    pipeline: str
    owner: str


class Deal(Aggregate, kind="deal", state_version=3):
    """``known_since`` says from when on the deal has what a stage may require."""

    client: str = ""
    pipeline: str = ""
    stage: str = ""
    outcome: Literal["open", "won", "lost"] = "open"
    currency: str | None = None
    known_since: dict[str, datetime] = {}
    opened_at: datetime | None = None
    changed_at: datetime | None = None

    def open(self, event: Opened, pipeline: Pipeline) -> Opened:
        if self.exists:
            raise already_exists("deal", self.id)
        _check_requirements(pipeline.stage(event.stage), _told(event))
        return event

    def move(self, stage: str, pipeline: Pipeline, at: datetime) -> Moved:
        self._check_open()
        self._check_order(at)
        pipeline.check_move(self.stage, stage)
        _check_requirements(pipeline.stage(stage), self._known(at))
        return Moved(deal=self.id, client=self.client, pipeline=self.pipeline, from_stage=self.stage, stage=stage)

    def win(self, pipeline: Pipeline, at: datetime) -> Won:
        self._check_open()
        self._check_order(at)
        pipeline.check_win(self.stage)
        return Won(deal=self.id, client=self.client, pipeline=self.pipeline, stage=self.stage)

    def lose(self, reason: str, note: str | None, at: datetime) -> Lost:
        self._check_open()
        self._check_order(at)
        return Lost(
            deal=self.id, client=self.client, pipeline=self.pipeline, stage=self.stage, reason=reason, note=note
        )

    def reopen(self, stage: str, pipeline: Pipeline, at: datetime) -> Reopened:
        """At any stage, whatever the policy: it is a new start."""
        if self.outcome == "open":
            raise Refusal("deal_open", f"The deal {self.id} is open.", stage=self.stage)
        self._check_order(at)
        _check_requirements(pipeline.stage(stage), self._known(at))
        return Reopened(deal=self.id, client=self.client, pipeline=self.pipeline, outcome=self.outcome, stage=stage)

    def estimate(self, amount: Decimal, currency: str, at: datetime) -> Estimated:
        self._check_tellable(at)
        return Estimated(deal=self.id, client=self.client, pipeline=self.pipeline, amount=amount, currency=currency)

    def specify(self, items: list[dict[str, str]], at: datetime) -> Specified:
        self._check_tellable(at)
        return Specified(deal=self.id, client=self.client, pipeline=self.pipeline, items=items)

    def assign(self, owner: str, at: datetime) -> Assigned:
        self._check_tellable(at)
        return Assigned(deal=self.id, client=self.client, pipeline=self.pipeline, owner=owner)

    def _check_open(self) -> None:
        if self.outcome != "open":
            raise Refusal("deal_closed", f"The deal {self.id} is {self.outcome}.", outcome=self.outcome)

    def _check_order(self, at: datetime) -> None:
        """A change of stage put before the last one would have been decided on a later stage than it starts from."""
        if self.changed_at and at < self.changed_at:
            raise Refusal(
                "out_of_order",
                f"The deal {self.id} changed last at {self.changed_at.isoformat()}, which is after {at.isoformat()}.",
                changed_at=self.changed_at.isoformat(),
            )

    def _check_tellable(self, at: datetime) -> None:
        self._check_open()
        if self.opened_at and at < self.opened_at:
            raise Refusal(
                "out_of_order",
                f"The deal {self.id} was opened at {self.opened_at.isoformat()}, which is after {at.isoformat()}.",
                opened_at=self.opened_at.isoformat(),
            )

    def _known(self, at: datetime) -> list[str]:
        return [fact for fact, since in self.known_since.items() if since <= at]

    def evolve(self, entry: Entry) -> Changes:
        at = entry.effective_at
        match entry.event:
            case Opened(client=client, pipeline=pipeline, stage=stage) as event:
                of = {"client": client, "pipeline": pipeline, "opened_at": at, "currency": event.currency}
                return {**of, "stage": stage, "changed_at": at, "known_since": dict.fromkeys(_told(event), at)}
            case Moved(stage=stage):
                return {"stage": stage, "changed_at": at}
            case Won():
                return {"outcome": "won", "changed_at": at}
            case Lost():
                return {"outcome": "lost", "changed_at": at}
            case Reopened(stage=stage):
                return {"outcome": "open", "stage": stage, "changed_at": at}
            case Estimated(currency=currency):
                return {"currency": currency, **self._learns("amount", at)}
            case Specified():
                return self._learns("items", at)
            case Assigned():
                return self._learns("owner", at)
        return {}

    def _learns(self, fact: str, at: datetime) -> Changes:
        return {"known_since": {**self.known_since, fact: min(at, self.known_since.get(fact, at))}}


def _told(event: Opened) -> list[str]:
    return [fact for fact in ("amount", "owner", "source", "items") if getattr(event, fact) not in (None, [])]


def _check_requirements(stage: Stage, known: list[str]) -> None:
    if missing := [fact for fact in stage.requires if fact not in known]:
        raise Refusal(
            "requirement_missing",
            f"The stage {stage.stage} requires {', '.join(missing)}.",
            stage=stage.stage,
            missing=missing,
        )
