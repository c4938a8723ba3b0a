"""Follows the ledger's topic, also when the ledger moves to another one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep

from consumers.ports import Feed, Moved, Topic
from consumers.projector import Projector
from consumers.spread import Spreadable, spread
from projections.projection import Projection

LOOK_EVERY = 1.0
"""Seconds between two looks at which topic it is."""

REST = 0.2
"""Seconds between two looks at whether a rebuild has ended."""


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
        try:
            if self._projector:
                return self._projector.turn()
        except Moved:
            if self.topic() == self._followed and not self.read_models.is_filling(self.projection):
                raise  # somebody has it follow something else
            self.close()
        sleep(REST)
        return 0

    def close(self) -> None:
        if self._projector:
            self._projector.close()
        self._projector = None

    def _look(self) -> None:
        topic = self.topic()
        if self._projector is None or topic != self._followed:
            self._follow(topic)
        self._look_at = monotonic() + LOOK_EVERY

    def _follow(self, topic: Topic) -> None:
        """Unless a rebuild fills it, in partitions of its own number. Ahead."""
        self.close()
        if self.read_models.is_being_rebuilt(self.projection):
            return
        self.read_models.agrees(self.projection)
        spread(self.projection, topic.partitions, self.read_models, self.store)
        feed = self.feed(self.projection, topic)
        self._projector = Projector(self.projection, feed, self.read_models, topic.partitions)
        self._followed = topic
