"""What consumers need of the outside: feeds of events, and read models that remember how far they are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from projections.projection import Projection
from projections.shapes import Row, Shape

WINDOW = 10_000
"""Positions that one batch covers at the most, and so what a consumer holds in memory."""


class Delivered(NamedTuple):
    """An event as a feed delivers it: payload and times as text."""

    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    order_key: str
    effective_at: str
    recorded_at: str
    payload: str


class Gap(NamedTuple):
    """A stream of which a feed has skipped events: it should have brought ``version`` and brought ``found``."""

    stream: str
    order_key: str
    version: int
    found: int
    position: int


class Batch(NamedTuple):
    """What follows in one partition: all events that there are after ``after`` and up to ``upto``, in order."""

    partition: int
    after: int
    upto: int
    events: Sequence[Delivered]
    gaps: Sequence[Gap] = ()
    recorded_at: str | None = None
    """When what is at ``upto`` was recorded, as the feed says; None: the feed is the book itself."""


class Place(NamedTuple):
    """How far a read model is in a partition, and when what it took last was recorded; no time before the first."""

    position: int
    recorded_at: str | None


class Places(Protocol):
    def __call__(self) -> Mapping[int, Place]:
        """How far the read model is, partition by partition."""


class Topic(NamedTuple):
    """What carries a ledger's events, in how many partitions, and the identity of that ledger, which no other has."""

    name: str
    partitions: int
    ledger: str = ""


class Feed(Protocol):
    """Brings every event once and in order of its partition, from where the read model is (tests/conformance/feeds)."""

    def read(self) -> Sequence[Batch]:
        """What follows what was read before, in the partitions that are ours, and not more than fits in a batch;
        nothing if there is none. Whoever calls again has written what was read."""

    def rewind(self) -> None:
        """What was read was not written: begin again from where the read model is."""

    def close(self) -> None:
        """Let others have its partitions."""


Placed = tuple[Delivered, int, Row]
"""A row, the event it comes from, and its number among that event's rows."""


class Parked(NamedTuple):
    """A stream that a projection cannot take, from this version on. Other streams go on."""

    stream: str
    order_key: str
    version: int
    position: int
    error: str


class Overtaken(Exception):
    """Another process has moved this projection meanwhile; nothing was written."""


ANOTHER = "the book was set back, or is another. `grossbuch recover` tells more, and decides."
"""What it is when positions do not agree."""


class Ahead(Exception):
    """Something has what the book does not have, or has otherwise: the book was set back, or it is another book's.
    Nothing was written. Who decides what holds is not a process (``grossbuch recover``)."""


class Moved(Exception):
    """The read model follows another number of partitions now; who reads by the old one is out of it."""


class Superseded(Exception):
    """What is read is of another release's version now, to which this one's rows must not be added."""


class Unacceptable(Exception):
    """A projection cannot take these events, or the database its rows, whoever writes them; nothing was written."""


class ReadModels(Protocol):
    def places(self, projection: Projection, partitions: int) -> Mapping[int, Place]:
        """How far it is in each; Moved if it follows another number of partitions."""

    def position(self, projection: Projection) -> int:
        """Everything up to here it has; 0 for a new one."""

    def book_end(self) -> int:
        """The last position that the book has."""

    def parked(self, projection: Projection) -> frozenset[str]:
        """The streams that wait in quarantine."""

    def write(
        self,
        projection: Projection,
        partitions: int,
        batches: Sequence[Batch],
        rows: Mapping[Shape, Sequence[Placed]],
        known: frozenset[str],
        parking: Iterable[Parked] = (),
    ) -> None:
        """Rows, progress and newly parked streams in one transaction.

        Ahead unless the book has what the batches bring, as they bring it. Overtaken unless each partition stands where
        its batch begins and the parked streams of the batches are ``known``. Superseded unless it is of the
        projection's version. Unacceptable if the database refuses a row.
        """

    def settle(self, projection: Projection) -> bool:
        """The end of the feed was reached: what was being filled beside the generation that is read takes its place, if
        it is as far. True if so."""


class Recorded(NamedTuple):
    """An event as the book has it, for those who carry it on."""

    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    order_key: str
    effective_at: str
    recorded_at: str
    payload: str
    metadata: str


class Log(Protocol):
    """The book, as the relay reads it."""

    def end(self) -> int:
        """The last position there is."""

    def read(self, after: int, upto: int, recorded_at: str | None = None) -> Sequence[Recorded]:
        """The events at positions after+1 … upto, ascending; not all of them if they are too big to be held at once.
        None if what is at ``after`` was not recorded at that time, if one is told: it is another book now."""


class Health(Protocol):
    """Is told how the work of a process does."""

    def halted(self, work: str, error: Exception) -> None:
        """It does not go on as it is."""

    def goes_on(self, work: str) -> None: ...


class Baton(Protocol):
    """Who has it runs, others stand by. Unavailable if nobody can say who has it."""

    def take(self) -> bool:
        """Whether it is ours from now on; does not wait."""

    def held(self) -> bool:
        """Whether it is ours still. Who does not ask now and then loses it."""

    def let_go(self) -> None: ...


class PublisherLost(Exception):
    """What became of the last transaction is not known: make a new publisher, and ask the topic. ``reason`` is a
    word."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.reason = reason


class Fenced(Exception):
    """Another relay has taken over."""


class Publisher(Protocol):
    """One topic, written in transactions."""

    def place(self) -> Place:
        """The highest position in the topic, 0 if it is empty, and when its event was recorded. Everything up to it has
        been published."""

    def take_over(self) -> None:
        """Fence those that took over before, and look again where the topic is. Until then nothing has been written,
        and nobody disturbed. PublisherLost, Fenced."""

    def publish(self, events: Sequence[Recorded]) -> None:
        """In one transaction, after what was published before. PublisherLost, Fenced."""

    def mark(self) -> None:
        """Tell every partition that has been quiet how far the book is, so that its readers know that they missed
        nothing."""

    def close(self) -> None: ...
