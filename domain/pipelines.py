"""Pipelines: the stages that a deal passes, and which moves are allowed."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.refusal import Refusal, already_exists

Policy = Literal["strict", "forward", "free"]

STATES = {"start", "won", "lost"}
"""What a deal comes from and ends in, beside the stages; so none of these may be called the same."""


class Stage(BaseModel):
    """``requires`` names what a deal must have before it may enter: amount, owner, source, items."""

    model_config = ConfigDict(frozen=True)

    stage: str
    name: str
    probability: Decimal
    requires: tuple[str, ...] = ()


class Defined(Event, type="pipeline.defined"):
    pipeline: str
    policy: Policy
    stages: tuple[Stage, ...]


class Pipeline(Aggregate, kind="pipeline"):
    policy: Policy = "free"
    stages: tuple[Stage, ...] = ()

    def define(self, event: Defined) -> Defined:
        if self.exists and not self._is_renamed_by(event):
            raise already_exists("pipeline", self.id)
        ids = [stage.stage for stage in event.stages]
        if len(set(ids)) < len(ids):
            raise Refusal("invalid", "Two stages have the same id.", field="stages")
        if taken := STATES & set(ids):
            raise Refusal("invalid", f"{', '.join(sorted(taken))}: every deal has such a state.", field="stages")
        return event

    def _is_renamed_by(self, event: Defined) -> bool:
        """Stages keep their ids, so that a new name does not split their history."""
        nameless = [[stage.model_copy(update={"name": ""}) for stage in each] for each in (self.stages, event.stages)]
        return self.policy == event.policy and nameless[0] == nameless[1] and self.stages != event.stages

    def stage(self, id: str) -> Stage:
        for stage in self.stages:
            if stage.stage == id:
                return stage
        raise Refusal("stage_unknown", f"The pipeline {self.id} has no stage {id}.", stage=id, stages=self.ids)

    @property
    def ids(self) -> list[str]:
        return [stage.stage for stage in self.stages]

    def check_move(self, now: str, to: str) -> None:
        """``strict``: to the next stage only; ``forward``: to any later one; ``free``: to any other."""
        self.stage(to)
        step = self.ids.index(to) - self.ids.index(now)
        if not {"strict": step == 1, "forward": step > 0, "free": step != 0}[self.policy]:
            raise Refusal(
                "stage_not_allowed",
                f"The policy {self.policy} of the pipeline {self.id} does not allow {now} → {to}.",
                stage=to,
                current=now,
                policy=self.policy,
            )

    def check_win(self, now: str) -> None:
        """A strict pipeline is won from its last stage; the others from any."""
        if self.policy == "strict" and now != self.ids[-1]:
            raise Refusal(
                "stage_not_allowed",
                f"The policy strict of the pipeline {self.id} wins from {self.ids[-1]} only, not from {now}.",
                stage="won",
                current=now,
                policy=self.policy,
            )

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Defined(policy=policy, stages=stages):
                return {"policy": policy, "stages": stages}
        return {}
