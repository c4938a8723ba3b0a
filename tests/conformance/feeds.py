"""What every feed must do, be it of the topic or of the store: one suite over one book.

A module of tests gives the fixture ``feeds``, and a class that inherits from ``FeedBehaviour``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from time import monotonic

import pytest

from consumers.ports import Batch, Delivered, Feed, Place, Places
from infra.kafka.wire import rfc3339
from infra.partitions import partition_of
from infra.postgres.append import Row
from infra.postgres.connection import Database
from infra.postgres.writer import Writer
from tests.integration.writing import ask, event, query

TYPE, OTHER = "test.happened", "test.ignored"
PATIENCE = 60.0

BOOK = """
SELECT position, stream, version, type, schema_version, order_key, effective_at::text, recorded_at::text, payload
  FROM event ORDER BY position
"""


class Feeds(ABC):
    """A book, and feeds of it in so many partitions."""

    def __init__(self, database: Database, writer: Writer, partitions: int) -> None:
        self.database = database
        self.partitions = partitions
        self._writer = writer

    @abstractmethod
    def open(self, places: Places, *, types: Sequence[str] = (TYPE,), group: str = "one") -> Feed: ...

    @abstractmethod
    def carry(self) -> None:
        """See to it that feeds can bring what is in the book."""

    def append(self, *rows: Row) -> None:
        for row in rows:
            ask(self._writer, row).result(PATIENCE)
        self.carry()

    def trade(self, number: int, since: int = 1) -> None:
        """So many events of each of ten streams, every third of another type."""
        self.append(
            *(
                of_type(event(f"key-{key}", version, payload=f'{{"n": {version}}}'), OTHER if key % 3 == 0 else TYPE)
                for version in range(since, since + number)
                for key in range(10)
            )
        )

    @property
    def book(self) -> list[Delivered]:
        return [normal(Delivered._make(row)) for row in query(self.database, BOOK)]

    @property
    def end(self) -> int:
        return len(self.book)

    def expected(self, types: Sequence[str] = (TYPE,), after: int = 0) -> dict[int, list[Delivered]]:
        """What a feed of these types brings of each partition."""
        found: dict[int, list[Delivered]] = {partition: [] for partition in range(self.partitions)}
        for each in self.book:
            if each.type in types and each.position > after:
                found[partition_of(each.order_key, self.partitions)].append(each)
        return found


class Reader:
    """As much of a read model as a feed knows of."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds
        self.at = dict.fromkeys(range(feeds.partitions), 0)
        self.taken: dict[int, list[Delivered]] = {partition: [] for partition in self.at}

    def places(self) -> dict[int, Place]:
        times = dict(query(self._feeds.database, "SELECT position, recorded_at::text FROM event"))
        return {partition: Place(position, times.get(position)) for partition, position in self.at.items()}

    def write(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            assert batch.after == self.at[batch.partition]
            assert batch.after < batch.upto
            assert all(batch.after < each.position <= batch.upto for each in batch.events)
            assert not batch.gaps
            self.at[batch.partition] = batch.upto
            self.taken[batch.partition] += map(normal, batch.events)

    def read_to_the_end(self, feed: Feed) -> None:
        deadline = monotonic() + PATIENCE
        while min(self.at.values()) < self._feeds.end:
            assert monotonic() < deadline, f"it did not come to the end: {self.at}"
            self.write(feed.read())


class FeedBehaviour:
    @pytest.fixture
    def reader(self, feeds: Feeds) -> Reader:
        return Reader(feeds)

    def test_every_event_comes_once_and_in_order_of_its_partition(self, feeds: Feeds, reader: Reader) -> None:
        feeds.trade(20)
        reader.read_to_the_end(feeds.open(reader.places, types=(TYPE, OTHER)))
        assert reader.taken == feeds.expected((TYPE, OTHER))
        assert sum(len(events) for events in reader.taken.values()) == 200

    def test_only_the_types_that_are_wanted_come_and_yet_the_end_is_reached(self, feeds: Feeds, reader: Reader) -> None:
        feeds.trade(5)
        feeds.append(*(of_type(event("key-1", version), OTHER) for version in range(6, 16)))
        reader.read_to_the_end(feeds.open(reader.places))
        assert set(reader.at.values()) == {60}
        assert reader.taken == feeds.expected()

    def test_partitions_in_which_nothing_happens_reach_the_end(self, feeds: Feeds, reader: Reader) -> None:
        feeds.append(*(event("alone", version) for version in range(1, 31)))
        reader.read_to_the_end(feeds.open(reader.places))
        assert reader.at == dict.fromkeys(range(feeds.partitions), 30)

    def test_it_goes_on_from_where_the_read_model_is(self, feeds: Feeds, reader: Reader) -> None:
        feeds.trade(20)
        reader.at = dict.fromkeys(reader.at, 77)
        reader.read_to_the_end(feeds.open(reader.places))
        assert reader.taken == feeds.expected(after=77)

    def test_partitions_may_be_at_different_places(self, feeds: Feeds, reader: Reader) -> None:
        feeds.trade(20)
        reader.at = {partition: partition * 13 % 200 for partition in reader.at}
        began = dict(reader.at)
        reader.read_to_the_end(feeds.open(reader.places))
        assert reader.taken == {
            partition: [each for each in events if each.position > began[partition]]
            for partition, events in feeds.expected().items()
        }

    def test_what_was_not_written_comes_again_after_a_rewind(self, feeds: Feeds, reader: Reader) -> None:
        feeds.trade(20)
        feed = feeds.open(reader.places)
        reader.read_to_the_end(feed)
        feeds.trade(10, since=21)
        lost = first(feed)
        feed.rewind()
        reader.read_to_the_end(feed)
        assert reader.taken == feeds.expected()
        assert all(normal(each) in reader.taken[batch.partition] for batch in lost for each in batch.events)

    def test_a_rewind_goes_to_where_the_read_model_is_by_now(self, feeds: Feeds, reader: Reader) -> None:
        feeds.trade(20)
        feed = feeds.open(reader.places)
        reader.read_to_the_end(feed)
        reader.at = dict.fromkeys(reader.at, 150)
        feed.rewind()
        reader.taken = {partition: [] for partition in reader.at}
        reader.read_to_the_end(feed)
        assert reader.taken == feeds.expected(after=150)

    def test_there_is_nothing_where_there_is_nothing(self, feeds: Feeds, reader: Reader) -> None:
        feeds.carry()
        feed = feeds.open(reader.places)
        assert not any(feed.read() for _ in range(3))
        feeds.trade(3)
        reader.read_to_the_end(feed)
        assert not any(feed.read() for _ in range(2))

    def test_what_happens_later_comes_later(self, feeds: Feeds, reader: Reader) -> None:
        feed = feeds.open(reader.places)
        for turn in range(4):
            feeds.trade(3, since=3 * turn + 1)
            reader.read_to_the_end(feed)
        assert reader.taken == feeds.expected()

    def test_two_feeds_of_the_same_places_bring_the_same(self, feeds: Feeds, reader: Reader) -> None:
        feeds.trade(20)
        other = Reader(feeds)
        reader.at = other.at = dict.fromkeys(reader.at, 50)
        other.at = dict(reader.at)
        reader.read_to_the_end(feeds.open(reader.places))
        other.read_to_the_end(feeds.open(other.places, group="another"))
        assert reader.taken == other.taken == feeds.expected(after=50)

    def test_one_that_was_closed_is_gone_on_for_by_another(self, feeds: Feeds, reader: Reader) -> None:
        feeds.trade(10)
        feed = feeds.open(reader.places)
        reader.read_to_the_end(feed)
        feed.close()
        feeds.trade(10, since=11)
        reader.read_to_the_end(feeds.open(reader.places))
        assert reader.taken == feeds.expected()


def of_type(row: Row, type: str) -> Row:
    return (*row[:2], type, *row[3:])  # type: ignore[return-value]


def normal(event: Delivered) -> Delivered:
    """Times may be written in either way."""
    return event._replace(effective_at=rfc3339(event.effective_at), recorded_at=rfc3339(event.recorded_at))


def first(feed: Feed) -> Sequence[Batch]:
    """What comes first, once it comes."""
    deadline = monotonic() + PATIENCE
    while not (batches := feed.read()):
        assert monotonic() < deadline
    return batches
