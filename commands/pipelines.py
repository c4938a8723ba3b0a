"""Commands on pipelines."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from commands.book import Book
from commands.command import Command
from domain.pipelines import Defined, Pipeline, Policy, Stage
from domain.values import Id, Name, NotNegativeDecimal


def _share(value: Decimal) -> Decimal:
    if value > 1:
        raise ValueError("a probability is at most 1")
    return value


class StageWanted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Id
    name: Name
    probability: Annotated[NotNegativeDecimal, AfterValidator(_share)]
    requires: list[Literal["amount", "owner", "source", "items"]] = []


class Define(Command, type="pipeline.define"):
    """Stages in their order. Defined again, they may have other names; nothing else changes."""

    pipeline: Id | None = None
    policy: Policy
    stages: Annotated[list[StageWanted], Field(min_length=1, max_length=100)]

    def execute(self, book: Book) -> None:
        pipeline = book.begin_new(Pipeline, self.pipeline)
        stages = tuple(
            Stage(stage=s.stage, name=s.name, probability=s.probability, requires=tuple(s.requires))
            for s in self.stages
        )
        book.record(pipeline, pipeline.define(Defined(pipeline=pipeline.id, policy=self.policy, stages=stages)))
