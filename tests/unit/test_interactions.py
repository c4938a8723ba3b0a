"""Interactions: every meeting, call, message and letter with a client."""

import pytest

from domain.interactions import Logged
from tests.unit.given import entries, given, happened, refused, when
from tests.unit.words import define_pipeline, log_interaction, open_deal, register_client


@pytest.fixture(autouse=True)
def _a_client() -> None:
    given(register_client("C1"))


def test_an_interaction_is_logged_as_told() -> None:
    when(log_interaction("call", interaction="T1", direction="inbound", subject="Prices", duration_s=120))
    [event] = happened("interaction.logged")
    told = {"kind": "call", "direction": "inbound", "subject": "Prices", "duration_s": 120}
    assert event == Logged(interaction="T1", client="C1", **told)


def test_interactions_keep_their_order_within_the_client() -> None:
    when(log_interaction("call", interaction="T1"), log_interaction("email", interaction="T2"))
    assert [(e.originator_id, e.order_key) for e in entries()] == [
        ("interaction-T1", "client-C1"),
        ("interaction-T2", "client-C1"),
    ]


def test_an_interaction_is_logged_once() -> None:
    given(log_interaction("call", interaction="T1"))
    when(log_interaction("email", interaction="T1"))
    refused("already_exists", kind="interaction", id="T1")


def test_a_missing_id_is_made() -> None:
    when(log_interaction("call"), log_interaction("call"))
    first, second = happened("interaction.logged", "interaction.logged")
    assert first.interaction != second.interaction


def test_an_interaction_is_with_a_known_client() -> None:
    when(log_interaction("call", client="C9"))
    refused("not_found", kind="client", id="C9")


def test_an_interaction_is_about_a_known_deal() -> None:
    when(log_interaction("call", deal="D1"))
    refused("not_found", kind="deal", id="D1")
    given(define_pipeline(), open_deal("D1"))
    when(log_interaction("call", deal="D1"))
    happened("interaction.logged")
