"""Pipelines: their stages, and which moves their policy allows."""

import pytest

from domain.pipelines import Defined
from tests.unit.given import given, happened, refused, when
from tests.unit.words import define_pipeline, move, open_deal, register_client, win


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
