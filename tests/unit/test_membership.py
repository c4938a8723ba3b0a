"""Whether a consumer that holds nothing is a spare one, or has missed what its group gave it."""

from typing import Any

from infra.kafka.membership import verdict


def group(state: str = "Stable", **given: int) -> dict[str, Any]:
    """Members by name, and how many partitions each was given."""
    members = [{"member_id": name, "member_assignment": assignment(number)} for name, number in given.items()]
    return {"error": None, "group_state": state, "members": members}


def assignment(partitions: int) -> Any:
    topics = [{"topic": "book.events", "partitions": list(range(partitions))}] if partitions else []
    return {"assigned_partitions": topics}


def said(group: dict[str, Any], *, settling: bool = True) -> str | None:
    return verdict(group, "me", 12, settling=settling)


def test_one_of_whom_others_have_everything_is_a_spare() -> None:
    assert said(group(me=0, first=6, second=6)) is None


def test_one_that_was_given_partitions_has_missed_them() -> None:
    assert said(group(me=4, first=8)) == "missed"


def test_one_that_the_group_does_not_know_is_outside() -> None:
    assert said(group(first=12)) == "outside"


def test_one_in_a_group_that_has_not_shared_everything_is_not_a_spare() -> None:
    assert said(group(me=0, first=11)) == "unshared"


def test_a_rebalance_may_take_its_time_and_no_longer() -> None:
    rebalancing = group("PreparingRebalance", me=0, first=0)
    assert said(rebalancing) is None
    assert said(rebalancing, settling=False) == "unshared"


def test_nothing_is_said_of_a_group_that_cannot_be_described() -> None:
    assert said({**group(first=12), "error": "NotCoordinatorError"}) is None


def test_a_member_without_any_assignment_is_one_that_was_given_nothing() -> None:
    members = [{"member_id": "me", "member_assignment": ""}]
    assert said({"error": None, "group_state": "Stable", "members": members}) == "unshared"
