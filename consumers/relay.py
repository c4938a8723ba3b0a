"""The relay carries the book to the topic: every event, in order of position. It keeps no progress of its own: how far
it is, the topic tells (tests/unit/test_relay.py, tests/kafka/test_relay.py).

Whatever happens to a transaction, its publisher is thrown away and the topic is asked again. So an event is published
once, and a topic that was emptied is filled from the first event.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Event
from time import monotonic
from typing import Protocol

import structlog

from commands.ports import Unavailable
from consumers.ports import ANOTHER, Baton, Fenced, Health, Log, Place, Publisher, PublisherLost, Recorded, Topic

log = structlog.get_logger(__name__)

BATCH = 5_000
"""Events of one transaction at the most, and so what the relay holds."""

SHORTEST, LONGEST = 0.005, 0.05
"""Seconds between two looks at the book."""

QUIET = 0.2
"""Seconds without an event after which partitions are marked."""

LOOK = 1.0
"""At least so often, in seconds, quiet partitions are marked, and it is asked which topic it is and whose turn."""

STAND_BY = 0.5
BACKOFF, LONGEST_BACKOFF = 0.1, 5.0


LOOK_AGAIN = 5.0
"""Seconds after which one that has halted looks whether it can go on."""

WORK = "relay"


class Misplaced(Exception):
    """The topic knows of events that the book does not have: it belongs to another book, or the book was set back."""


class Broken(Exception):
    """The book has a hole."""


class Watch(Protocol):
    """Is told how the relay does."""

    def standing_by(self, yes: bool) -> None: ...

    def at(self, position: int, end: int) -> None: ...

    def published(self, events: int) -> None: ...

    def lost(self, reason: str) -> None: ...


class Relay:
    def __init__(
        self,
        book: Log,
        baton: Baton,
        topic: Callable[[], Topic],
        open_publisher: Callable[[Topic], Publisher],
        watch: Watch,
        health: Health,
        *,
        batch: int = BATCH,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._book = book
        self._baton = baton
        self._topic = topic
        self._open = open_publisher
        self._watch = watch
        self._health = health
        self._batch = batch
        self._clock = clock
        self._stopped = Event()
        self._publisher: Publisher | None = None
        self._goes_to: Topic | None = None
        self._looked = self._moved = 0.0
        self._at = 0
        self._rest, self._backoff = SHORTEST, BACKOFF

    def stop(self) -> None:
        """Finishes the batch at hand."""
        self._stopped.set()

    def run(self) -> None:
        """Until stopped. To publish what is Misplaced or Broken would make things worse: it halts, tells so once, and
        looks again now and then, as with whatever else nobody expected."""
        try:
            while not self._stopped.is_set():
                self._stopped.wait(self._round())
        finally:
            self._drop()
            self._baton.let_go()

    def _round(self) -> float:
        """A turn, if it is ours; gives how long to rest after it."""
        try:
            if not self._is_ours():
                self._health.goes_on(WORK)
                return STAND_BY
            events = self.turn()
        except (PublisherLost, Fenced, Unavailable) as error:
            self._give_up(error)
            self._backoff = min(self._backoff * 2, LONGEST_BACKOFF)
            return self._backoff
        except Exception as error:
            self._halt(error)
            return LOOK_AGAIN
        self._backoff = BACKOFF
        self._health.goes_on(WORK)
        self._rest = SHORTEST if events else min(self._rest * 2, LONGEST)
        return 0 if events == self._batch else self._rest

    def fill(self, progress: Callable[[int], object] = int) -> None:
        """To the end that the book has now, without asking whose turn it is: of a topic that nobody follows yet."""
        end = self._book.end()
        try:
            while (self._publisher or self._begin()).place().position < end:
                progress(self.turn())
        finally:
            self._drop()

    def turn(self) -> int:
        """Publish what follows, not more than a batch; gives how many events."""
        publisher = self._publisher or self._begin()
        place, end = publisher.place(), self._book.end()
        if place.position > end:
            self._compare(place)
        events = self._read(place, end) if end > place.position else ()
        if events:
            publisher.publish(events)
            self._watch.published(len(events))
        self._tell(publisher.place().position, end)
        self._look(publisher, bool(events))
        return len(events)

    def _is_ours(self) -> bool:
        ours = self._publisher is not None or self._baton.take()
        self._watch.standing_by(not ours)
        return ours

    def _begin(self) -> Publisher:
        self._goes_to = self._topic()
        publisher = self._open(self._goes_to)
        try:
            self._compare(publisher.place())
            publisher.take_over()
            self._compare(publisher.place())
        except BaseException:
            publisher.close()
            raise
        self._publisher = publisher
        self._looked = self._moved = self._clock()
        log.info("relay publishes", topic=self._goes_to.name, position=publisher.place().position)
        return publisher

    def _compare(self, place: Place) -> None:
        """A book that was set back may have gone on since: what is at a position was recorded at another time then."""
        self._at = place.position
        if not place.recorded_at:
            return
        found = self._book.read(place.position - 1, place.position)
        if not found:
            message = f"The topic is at position {place.position}, and the book ends at {self._book.end()}: {ANOTHER}"
            raise Misplaced(message)
        if datetime.fromisoformat(found[0].recorded_at) != datetime.fromisoformat(place.recorded_at):
            raise Misplaced(f"What is at position {place.position} differs between topic and book: {ANOTHER}")

    def _read(self, place: Place, end: int) -> Sequence[Recorded]:
        """What follows in the very book that has what was published last."""
        after = place.position
        events = self._book.read(after, min(after + self._batch, end), place.recorded_at)
        for position, event in enumerate(events, after + 1):
            if event.position != position:
                raise Broken(f"The book has no event at position {position}, but one at {event.position}.")
        if not events:
            self._compare(place)
            raise Broken(f"The book has no event at position {after + 1}, and ends at {end}.")
        return events

    def _look(self, publisher: Publisher, moved: bool) -> None:
        """Mark quiet partitions, soon when there is nothing else to do; see whether the topic is still the one."""
        now = self._clock()
        if moved:
            self._moved = now
        quiet = self._looked < self._moved <= now - QUIET
        if not quiet and now < self._looked + LOOK:
            return
        self._looked = now
        if not moved:
            self._compare(publisher.place())
        self._baton.held()  # who does not ask loses it; who has lost it is fenced by the next
        publisher.mark()
        if self._topic() != self._goes_to:
            self._drop()

    def _halt(self, error: Exception) -> None:
        self._drop()
        self._health.halted(WORK, error)
        self._tell_end()

    def _tell_end(self) -> None:
        """How far it is behind is told also while it is not at work."""
        with suppress(Unavailable):
            self._tell(self._at, self._book.end())

    def _tell(self, position: int, end: int) -> None:
        self._at = position
        self._watch.at(position, end)

    def _give_up(self, error: Exception) -> None:
        """Begin anew; one who was fenced has to ask whether it is the relay still."""
        reason = error.reason if isinstance(error, PublisherLost) else type(error).__name__.lower()
        log.warning("relay begins anew", reason=reason, error=str(error))
        self._watch.lost(reason)
        self._drop()
        if isinstance(error, Fenced):
            self._baton.let_go()
        elif not isinstance(error, Unavailable):
            self._tell_end()

    def _drop(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher:
            publisher.close()
