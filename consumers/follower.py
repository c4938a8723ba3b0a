"""Follows the ledger's topic, also when the ledger moves to another one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from consumers.ports import Feed, Moved, Topic
from consumers.projector import Projector
from consumers.spread import Spreadable, spread
from projections.projection import Projection

LOOK_EVERY = 1.0
"""Seconds between two looks at which topic it is."""


@dataclass(slots=True)
class Follower:
    """``feed`` opens the feed of a topic, ``store`` that of the book in so many partitions."""

    projection: Projection
    read_models: Spreadable
    topic: Callable[[], Topic]
    feed: Callable[[Projection, Topic], Feed]
    store: Callable[[Projection, int], Feed]
    _followed: Topic | None = field(default=None, init=False)
    _projector: Projector | None = field(default=None, init=False)
    _look_at: float = field(default=0.0, init=False)

    def turn(self) -> int:
        if self._projector is None or monotonic() >= self._look_at:
            self._look()
        assert self._projector
        try:
            return self._projector.turn()
        except Moved:
            if not self._look():  # not by us: somebody has the store fill it
                raise
            return 0

    def close(self) -> None:
        if self._projector:
            self._projector.close()
        self._projector = None

    def _look(self) -> bool:
        """Whether it is another topic now."""
        topic = self.topic()
        if moved := self._projector is None or topic != self._followed:
            self.close()
            spread(self.projection, topic.partitions, self.read_models, self.store)
            feed = self.feed(self.projection, topic)
            self._projector = Projector(self.projection, feed, self.read_models, topic.partitions)
            self._followed = topic
        self._look_at = monotonic() + LOOK_EVERY
        return moved
