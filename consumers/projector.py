"""The projector turns what a feed brings into rows, batch by batch; rows and progress are written in one transaction.

So a crash, a duplicate or a rebalance changes no figure: who was overtaken writes nothing, and begins again from where
the read model is (tests/properties/test_projector.py). A stream with an event that cannot be taken is parked, and the
others go on (tests/integration/test_quarantine.py).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil

from consumers.ports import ANOTHER, Ahead, Batch, Delivered, Feed, Overtaken, Parked, Placed, ReadModels, Unacceptable
from domain.event import decode
from projections.projection import Projection
from projections.shapes import Shape


@dataclass(slots=True)
class Projector:
    """``partitions`` is of how many the feed's are; the read model must follow as many."""

    projection: Projection
    feed: Feed
    read_models: ReadModels
    partitions: int = 1
    _parked: frozenset[str] | None = field(default=None, init=False)

    @property
    def position(self) -> int:
        return self.read_models.position(self.projection)

    def turn(self) -> int:
        """Project what comes next; gives how many positions it moved, on an average over the partitions, 0 if there was
        nothing or another was faster."""
        try:
            batches = self.feed.read()
            if batches:
                self._project(batches)
            elif self.read_models.settle(self.projection):
                self._begin_again()
        except Overtaken:
            self._begin_again()
            return 0
        except BaseException:
            self._begin_again()  # what became of the commit is asked of the database
            raise
        return ceil(sum(batch.upto - batch.after for batch in batches) / self.partitions)

    def catch_up(self, end: int, progress: Callable[[int], object] = int) -> None:
        """To this position, whoever gets it there. Ahead if the book does not have it."""
        self._is_in_the_book(end)
        at = self.position
        while at < end:
            self.turn()
            self._is_in_the_book(end)
            before, at = at, self.position
            progress(at - before)
        if self.read_models.settle(self.projection):
            self._begin_again()

    def close(self) -> None:
        self.feed.close()

    def _is_in_the_book(self, position: int) -> None:
        if (end := self.read_models.book_end()) < position:
            name = self.projection.name
            raise Ahead(f"{name} is to be brought to position {position}, and the book ends at {end}: {ANOTHER}")

    def _begin_again(self) -> None:
        self._parked = None
        self.feed.rewind()

    def _project(self, batches: Sequence[Batch]) -> None:
        """If something of it is unacceptable, each half is tried by itself, so that in the end one event is parked."""
        try:
            self._write(batches)
        except Unacceptable as error:
            events = [event for batch in batches for event in batch.events]
            if len(events) == 1:
                self._write(batches, [_parked(events[0], error)])
            else:
                for half in _halves(batches):
                    self._project(half)

    def _write(self, batches: Sequence[Batch], parking: Sequence[Parked] = ()) -> None:
        if self._parked is None:
            self._parked = self.read_models.parked(self.projection)
        found = [*parking, *_gaps(batches, self._parked)]
        from_ = {parked.stream: parked.position for parked in reversed(found)} | dict.fromkeys(self._parked, 0)
        events: Sequence[Delivered] = [
            event
            for batch in batches
            for event in batch.events
            if event.stream not in from_ or event.position < from_[event.stream]
        ]
        rows = fold(self.projection, events)
        self.read_models.write(self.projection, self.partitions, batches, rows, self._parked, found)
        self._parked |= {parked.stream for parked in found}


def fold(projection: Projection, events: Sequence[Delivered]) -> dict[Shape, list[Placed]]:
    """The rows that a projection makes of events, by shape. Pure: the same events give the same rows. Unacceptable if
    it cannot take one of them."""
    try:
        return _fold(projection, events)
    except Exception as error:
        raise Unacceptable(repr(error)) from error


def _fold(projection: Projection, events: Sequence[Delivered]) -> dict[Shape, list[Placed]]:
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


def _parked(event: Delivered, error: Exception) -> Parked:
    return Parked(event.stream, event.order_key, event.version, event.position, str(error))


def _gaps(batches: Sequence[Batch], parked: frozenset[str]) -> Iterator[Parked]:
    """A stream of which something is missing waits before what is missing; told once."""
    told = set(parked)
    for batch in batches:
        for gap in batch.gaps:
            if gap.stream not in told:
                told.add(gap.stream)
                error = f"version {gap.found} came in partition {batch.partition} where {gap.version} is next"
                yield Parked(gap.stream, gap.order_key, gap.version, gap.position, error)


def _halves(batches: Sequence[Batch]) -> tuple[Sequence[Batch], Sequence[Batch]]:
    """In order, and together the whole: of several batches the first ones and the others, of one its events in two."""
    if len(batches) > 1:
        middle = len(batches) // 2
        return batches[:middle], batches[middle:]
    [batch] = batches
    middle = len(batch.events) // 2
    at = batch.events[middle - 1].position
    return (
        [batch._replace(upto=at, events=batch.events[:middle], gaps=[g for g in batch.gaps if g.position <= at])],
        [batch._replace(after=at, events=batch.events[middle:], gaps=[g for g in batch.gaps if g.position > at])],
    )
