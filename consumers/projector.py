"""The projector turns the feed into rows, batch by batch, and has rows and progress written in one transaction.

So a crash, a duplicate or a redelivery changes no figure: what is at or before the recorded position is dropped, and
who was overtaken writes nothing (tests/properties/test_projector.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from consumers.ports import Delivered, Feed, Overtaken, Placed, ReadModels
from domain.event import decode
from projections.projection import Projection
from projections.shapes import Shape

WINDOW = 10_000
"""Positions that one turn covers, and so what it holds in memory."""


@dataclass(slots=True)
class Projector:
    projection: Projection
    feed: Feed
    read_models: ReadModels
    _position: int | None = field(default=None, init=False)

    @property
    def position(self) -> int:
        if self._position is None:
            self._position = self.read_models.position(self.projection)
        return self._position

    def turn(self) -> int:
        """Project the next batch; gives how many positions it moved, 0 at the end of the feed."""
        after = self.position
        upto = min(after + WINDOW, self.feed.end())
        if upto <= after:
            return 0
        events = self.feed.read(after, upto, self.projection.types)
        rows = fold(self.projection, [event for event in events if event.position > after])
        try:
            self.read_models.write(self.projection, after, upto, rows)
        except Overtaken:
            self._position = None
            return 0
        except BaseException:
            self._position = None  # what became of the commit is asked of the database
            raise
        self._position = upto
        return upto - after

    def rebuild(self, progress: Callable[[int], object] = int) -> None:
        """Drop what it has and fill it again. Plain: readers see it grow."""
        self.read_models.reset(self.projection)
        self._position = None
        self.catch_up(progress)

    def catch_up(self, progress: Callable[[int], object] = int) -> None:
        """To the end that the feed has now, whoever gets it there."""
        end = self.feed.end()
        while self.position < end:
            progress(self.turn())


def fold(projection: Projection, events: Sequence[Delivered]) -> dict[Shape, list[Placed]]:
    """The rows that a projection makes of events, by shape. Pure: the same events give the same rows."""
    placed: dict[str, list[Placed]] = {shape.name: [] for shape in projection.shapes}
    handlers = {
        type: [(placed[shape.name].append, handler) for shape, handler in projection.handlers(type)]
        for type in projection.types
    }
    for event in events:
        takers = handlers.get(event.type)
        if not takers:
            continue
        fact = decode(event.type, event.schema_version, event.payload)
        for append, handler in takers:
            rows = handler(fact)
            if isinstance(rows, tuple):
                append((event, 0, rows))
            else:
                for line, row in enumerate(rows):
                    append((event, line, row))
    return {shape: placed[shape.name] for shape in projection.shapes}
