"""Pipelines: their stages, and which moves their policy allows."""

import pytest

from domain.pipelines import Defined, Pipeline
from tests.unit.given import command, given, happened, now, refused, when
from tests.unit.words import (
    assign,
    define_pipeline,
    estimate,
    lose,
    move,
    open_deal,
    register_client,
    reopen,
    specify,
    win,
)


def test_a_pipeline_keeps_its_stages_in_order() -> None:
    when(define_pipeline("strict", "lead", "offer", "contract"))
    [event] = happened("pipeline.defined")
    assert isinstance(event, Defined)
    assert [stage.stage for stage in event.stages] == ["lead", "offer", "contract"]


def test_a_pipeline_is_defined_once() -> None:
    given(define_pipeline())
    when(define_pipeline())
    refused("already_exists", kind="pipeline", id="P")


def test_two_stages_may_not_have_the_same_id() -> None:
    when(define_pipeline("free", "A", "B", "A"))
    refused("invalid", field="stages")


def test_a_pipeline_s_stages_may_be_renamed() -> None:
    given(define_pipeline("free", "A", "B"))
    stages = [{"stage": stage, "name": f"New {stage}", "probability": "0.5"} for stage in "AB"]
    when(command("pipeline.define", pipeline="P", policy="free", stages=stages))
    happened("pipeline.defined")
    assert [stage.name for stage in now(Pipeline, "P").stages] == ["New A", "New B"]


@pytest.mark.parametrize(
    "other",
    [
        lambda: define_pipeline("strict", "A", "B"),
        lambda: define_pipeline("free", "B", "A"),
        lambda: define_pipeline("free", "A", "B", "C"),
        lambda: define_pipeline("free", "A", "B", B=["owner"]),
    ],
)
def test_nothing_else_of_a_pipeline_changes(other) -> None:
    given(define_pipeline("free", "A", "B"))
    when(other())
    refused("already_exists", kind="pipeline", id="P")


@pytest.mark.parametrize("state", ["start", "won", "lost"])
def test_a_stage_may_not_be_called_like_a_state_that_every_deal_has(state: str) -> None:
    when(define_pipeline("free", "A", state))
    refused("invalid", field="stages")


ALLOWED = {
    "strict": {("A", "B"), ("B", "C")},
    "forward": {("A", "B"), ("A", "C"), ("B", "C")},
    "free": {("A", "B"), ("A", "C"), ("B", "C"), ("B", "A"), ("C", "A"), ("C", "B")},
}


@pytest.mark.parametrize("policy", ALLOWED)
@pytest.mark.parametrize("start", "ABC")
@pytest.mark.parametrize("to", "ABC")
def test_the_policy_decides_which_moves_are_allowed(policy: str, start: str, to: str) -> None:
    given(register_client(), define_pipeline(policy), open_deal(stage=start))
    when(move(to))
    if (start, to) in ALLOWED[policy]:
        happened("deal.moved")
    else:
        refused("stage_not_allowed", stage=to, current=start, policy=policy)


@pytest.mark.parametrize(
    ("policy", "winning"), [("strict", {"C"}), ("forward", {"A", "B", "C"}), ("free", {"A", "B", "C"})]
)
@pytest.mark.parametrize("start", "ABC")
def test_a_strict_pipeline_is_won_from_its_last_stage_only(policy: str, winning: set[str], start: str) -> None:
    given(register_client(), define_pipeline(policy), open_deal(stage=start))
    when(win())
    if start in winning:
        happened("deal.won")
    else:
        refused("stage_not_allowed", stage="won", current=start, policy=policy)


def test_a_stage_that_the_pipeline_does_not_have_is_unknown() -> None:
    given(register_client(), define_pipeline())
    when(open_deal(stage="X"))
    refused("stage_unknown", stage="X", stages=["A", "B", "C"])
    given(open_deal())
    when(move("X"))
    refused("stage_unknown", stage="X", stages=["A", "B", "C"])


def test_a_stage_may_require_what_the_deal_does_not_have() -> None:
    given(register_client(), define_pipeline("free", B=["amount", "owner", "source"]), open_deal(owner="eve"))
    when(move("B"))
    refused("requirement_missing", stage="B", missing=["amount", "source"])


def test_a_deal_that_has_what_the_stage_requires_enters_it() -> None:
    given(register_client(), define_pipeline("free", B=["amount", "items"]))
    items = [{"product": "lamp", "quantity": "1"}]
    given(open_deal(amount="10", currency="EUR", items=items))
    when(move("B"))
    happened("deal.moved")


def test_the_first_stage_may_have_requirements_too() -> None:
    given(register_client(), define_pipeline("free", A=["owner"]))
    when(open_deal())
    refused("requirement_missing", stage="A", missing=["owner"])


def test_an_amount_of_nothing_is_an_amount() -> None:
    given(register_client(), define_pipeline("free", A=["amount"]))
    when(open_deal(amount="0", currency="EUR"))
    happened("deal.opened")


TOLD = [
    ("amount", lambda on: estimate(5, on)),
    ("items", lambda on: specify("lamp", on=on)),
    ("owner", lambda on: assign("eve", on)),
]


@pytest.mark.parametrize(("fact", "tell"), TOLD)
def test_what_was_told_of_a_deal_meets_a_requirement_from_its_time_on(fact: str, tell) -> None:
    given(register_client(), define_pipeline("free", B=[fact]), open_deal(on="2026-05-01"), tell("2026-05-10"))
    when(move("B", "2026-05-09"))
    refused("requirement_missing", stage="B", missing=[fact])
    when(move("B", "2026-05-10"))
    happened("deal.moved")


def test_what_was_told_twice_is_known_from_the_earlier_time_on() -> None:
    given(register_client(), define_pipeline("free", B=["owner"]), open_deal(on="2026-05-01"))
    given(assign("eve", "2026-05-10"), assign("kim", "2026-05-03"), assign("joe", "2026-05-20"))
    when(move("B", "2026-05-03"))
    happened("deal.moved")


@pytest.mark.parametrize("policy", ["strict", "forward", "free"])
@pytest.mark.parametrize("stage", "ABC")
def test_no_policy_decides_where_a_deal_is_reopened(policy: str, stage: str) -> None:
    given(register_client(), define_pipeline(policy), open_deal(stage="B"), lose())
    when(reopen(stage))
    happened("deal.reopened")


def test_a_deal_is_reopened_with_what_the_stage_requires() -> None:
    given(register_client(), define_pipeline("free", C=["owner"]), open_deal(), lose())
    when(reopen("C"))
    refused("requirement_missing", stage="C", missing=["owner"])


@pytest.mark.parametrize("policy", ["strict", "forward", "free"])
@pytest.mark.parametrize("start", "ABC")
def test_a_deal_is_lost_from_any_stage_under_every_policy(policy: str, start: str) -> None:
    given(register_client(), define_pipeline(policy), open_deal(stage=start))
    when(lose())
    happened("deal.lost")
