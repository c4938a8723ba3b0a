"""Sees to it that a consumer without partitions has none because there are none for it.

kafka-python's consumer can miss the end of its group's rebalance, when ``poll`` returns while it joins, and hold
nothing from then on; all the while the group believes that it reads (tests/kafka/test_topic_feed.py).
"""

from collections.abc import Mapping
from time import monotonic
from typing import Any

from kafka.errors import RetriableError

from infra.kafka.topic import administration, identity

WATCH = 5.0
"""Seconds without a partition after which the coordinator is asked, and then each so many."""


class Watchdog:
    """``settles`` is how many seconds the broker lets a rebalance take."""

    def __init__(self, options: Mapping[str, Any], group: str, topic: str, partitions: int, settles: float) -> None:
        self._options = {**options, "bootstrap_timeout_ms": 2_000, "request_timeout_ms": 5_000}
        self._group, self._topic, self._partitions = group, topic, partitions
        self._settles = settles
        self.reset()

    def reset(self) -> None:
        self._since: float | None = None
        self._look_at = 0.0

    def look(self, holding: bool, member: str) -> str | None:
        """In a word, why this consumer will not come by partitions; None if it has some, is a spare one or may wait."""
        now = monotonic()
        if holding:
            self._since = None
        elif self._since is None:
            self._since, self._look_at = now, now + WATCH
        elif now >= self._look_at:
            self._look_at = now + WATCH
            if group := self._described():
                return verdict(group, member, self._partitions, settling=now - self._since < self._settles)
        return None

    def _described(self) -> Mapping[str, Any] | None:
        """Nothing can be said if the broker does not answer, nor of a topic that is not there."""
        try:
            with administration(self._options) as admin:
                group: Mapping[str, Any] = admin.describe_groups([self._group])[self._group]
                return group if identity(admin, self._topic) else None
        except RetriableError:
            return None


def verdict(group: Mapping[str, Any], member: str, partitions: int, *, settling: bool) -> str | None:
    """As ``look``, of a group as the coordinator describes it."""
    if group["error"] or (settling and group["group_state"] in ("PreparingRebalance", "CompletingRebalance")):
        return None
    given = {each["member_id"]: _partitions(each["member_assignment"]) for each in group["members"]}
    if member not in given:
        return "outside"
    if given[member]:
        return "missed"
    return None if sum(given.values()) >= partitions else "unshared"


def _partitions(assignment: Any) -> int:
    """How many."""
    topics = assignment["assigned_partitions"] if assignment else ()
    return sum(len(topic["partitions"]) for topic in topics)
