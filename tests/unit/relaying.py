"""A relay with a book, a baton and a topic that are lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from commands.ports import Unavailable
from consumers.ports import Place, PublisherLost, Recorded, Topic
from consumers.relay import Relay

TOPIC = Topic("book.events", 12)


def event(position: int, recorded_at: str = "") -> Recorded:
    time = recorded_at or f"2026-01-01 00:00:00.{position:06}+00"
    return Recorded(position, f"deal-D{position}", 1, "deal.won", 1, f"deal-D{position}", time, time, "{}", "{}")


@dataclass
class Book:
    events: list[Recorded] = field(default_factory=list)
    most: int = 1_000
    away: bool = False

    def end(self) -> int:
        if self.away:
            raise Unavailable
        return self.events[-1].position if self.events else 0

    def read(self, after: int, upto: int, recorded_at: str | None = None) -> Sequence[Recorded]:
        if recorded_at and not self._stands(after, recorded_at):
            return []
        return [each for each in self.events if after < each.position <= upto][: self.most]

    def _stands(self, position: int, recorded_at: str) -> bool:
        times = [each.recorded_at for each in self.events if each.position == position]
        return times == [recorded_at.replace("T", " ")]

    def grow(self, to: int) -> None:
        self.events += [event(position) for position in range(self.end() + 1, to + 1)]


@dataclass
class Baton:
    ours: bool = True
    taken: int = 0
    let: int = 0
    asked: int = 0

    def take(self) -> bool:
        self.taken += 1
        return self.ours

    def held(self) -> bool:
        self.asked += 1
        return self.ours

    def let_go(self) -> None:
        self.let += 1


@dataclass
class Broker:
    """Its topic, and what is to go wrong with the next transactions: an error, and whether it was committed yet."""

    events: list[Recorded] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    marks: int = 0
    faults: list[tuple[Exception, bool]] = field(default_factory=list)
    opened: list[Topic] = field(default_factory=list)
    open: int = 0
    before: Callable[[], object] = int
    fenced: int = 0

    def publisher(self, topic: Topic) -> "FakePublisher":
        self.opened.append(topic)
        if self.faults and not self.faults[0][1] and str(self.faults[0][0]).startswith("unreachable"):
            raise self.faults.pop(0)[0]
        self.open += 1
        return FakePublisher(self)


class FakePublisher:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        last = broker.events[-1] if broker.events else None
        self._place = Place(last.position, last.recorded_at.replace(" ", "T")) if last else Place(0, None)

    def place(self) -> Place:
        return self._place

    def take_over(self) -> None:
        self._broker.fenced += 1

    def publish(self, events: Sequence[Recorded]) -> None:
        self._broker.before()
        error, committed = self._broker.faults.pop(0) if self._broker.faults else (None, True)
        if committed:
            self._broker.events += events
            self._broker.batches.append(len(events))
        if error:
            raise error
        self._place = Place(events[-1].position, events[-1].recorded_at)

    def mark(self) -> None:
        self._broker.marks += 1
        if not self._broker.events and self._place.position:
            raise PublisherLost("topic gone")

    def close(self) -> None:
        self._broker.open -= 1


class Watched:
    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.stood_by = 0
        self.places: list[tuple[int, int]] = []
        self.events = 0
        self.then: Callable[[], object] = int

    def standing_by(self, yes: bool) -> None:
        self.stood_by += yes
        self.then()

    def at(self, position: int, end: int) -> None:
        self.places.append((position, end))
        self.then()

    def published(self, events: int) -> None:
        self.events += events

    def lost(self, reason: str) -> None:
        self.reasons.append(reason)
        self.then()


class Told:
    """A Health that remembers what it was told, the same thing once."""

    def __init__(self) -> None:
        self.causes: list[str] = []
        self.then: Callable[[], object] = int

    def halted(self, _: str, error: Exception) -> None:
        if self.causes[-1:] != [str(error)]:
            self.causes.append(str(error))
        self.then()

    def goes_on(self, _: str) -> None:
        if self.causes and self.causes[-1] != "goes on":
            self.causes.append("goes on")


class World:
    """A relay with all that it touches; time passes when told to."""

    def __init__(self, *, batch: int = 10) -> None:
        self.book, self.baton, self.broker, self.watch = Book(), Baton(), Broker(), Watched()
        self.health = Told()
        self.now = 100.0
        self.topic = TOPIC
        self.relay = Relay(
            self.book,
            self.baton,
            lambda: self.topic,
            self.broker.publisher,
            self.watch,
            self.health,
            batch=batch,
            clock=lambda: self.now,
        )

    @property
    def published(self) -> list[int]:
        return [each.position for each in self.broker.events]

    def run_until(self, done: Callable[[], bool], turns: int = 1_000) -> None:
        """Fails if it is not done after so many turns."""
        left = iter(range(turns))

        def look() -> None:
            if done() or next(left, None) is None:
                self.relay.stop()

        self.watch.then = self.health.then = look
        self.relay.run()
        assert done()


def upto(position: int) -> list[int]:
    return list(range(1, position + 1))
