"""What is read ahead is the same as without, whatever becomes of what was read before."""

from collections.abc import Sequence

import pytest

from consumers.ahead import FeedAhead, LogAhead
from consumers.ports import Batch, Recorded


class Book:
    """Notes what it is asked for."""

    def __init__(self, size: int, most: int = 1_000) -> None:
        self.size, self.most = size, most
        self.asked: list[tuple[int, int]] = []

    def end(self) -> int:
        return self.size

    def read(self, after: int, upto: int, _: str | None = None) -> Sequence[Recorded]:
        self.asked.append((after, upto))
        last = min(upto, self.size, after + self.most)
        return [event(position) for position in range(after + 1, last + 1)]


def event(position: int) -> Recorded:
    return Recorded(position, "s", position, "t", 1, "k", "", "", "{}", "{}")


def positions(events: Sequence[Recorded]) -> list[int]:
    return [event.position for event in events]


def test_what_follows_a_full_batch_has_been_read_by_the_time_it_is_asked_for() -> None:
    book = Book(30)
    ahead = LogAhead(book)
    assert positions(ahead.read(0, 10)) == list(range(1, 11))
    assert positions(ahead.read(10, 20)) == list(range(11, 21))
    assert book.asked[:2] == [(0, 10), (10, 20)]
    assert book.asked.count((10, 20)) == 1


def test_what_was_not_there_yet_is_asked_for_again() -> None:
    book = Book(10)
    ahead = LogAhead(book)
    ahead.read(0, 10)
    book.size = 15
    assert positions(ahead.read(10, 15)) == list(range(11, 16))


def test_who_begins_elsewhere_gets_what_follows_there() -> None:
    ahead = LogAhead(Book(30))
    ahead.read(0, 10)
    assert positions(ahead.read(4, 8)) == [5, 6, 7, 8]


def test_never_more_than_was_asked_for() -> None:
    ahead = LogAhead(Book(30))
    ahead.read(0, 10)
    assert positions(ahead.read(10, 12)) == [11, 12]
    assert positions(ahead.read(12, 13)) == [13]


def test_events_that_are_too_big_to_be_read_at_once_come_all_the_same() -> None:
    ahead, found = LogAhead(Book(30, most=7)), list[int]()
    while len(found) < 30:
        found += positions(ahead.read(len(found), min(len(found) + 10, 30)))
    assert found == list(range(1, 31))


class Partition:
    """A feed of one event a batch, from a read model that others see written."""

    def __init__(self, size: int) -> None:
        self.size, self.written, self.at, self.is_open = size, 0, 0, True
        self.breaks_at = 0

    def read(self) -> Sequence[Batch]:
        if self.at + 1 == self.breaks_at:
            raise ValueError("it broke")
        if self.at == self.size:
            return ()
        self.at += 1
        return [Batch(0, self.at - 1, self.at, ())]

    def rewind(self) -> None:
        self.at = self.written

    def close(self) -> None:
        self.is_open = False


def upto(feed: FeedAhead) -> int | None:
    batches = feed.read()
    return batches[0].upto if batches else None


def test_a_feed_brings_each_batch_once_and_then_nothing() -> None:
    feed = FeedAhead(Partition(4))
    assert [upto(feed) for _ in range(6)] == [1, 2, 3, 4, None, None]


def test_what_comes_after_the_end_is_brought_when_it_is_there() -> None:
    partition = Partition(1)
    feed = FeedAhead(partition)
    assert [upto(feed), upto(feed)] == [1, None]
    partition.size = 2
    assert upto(feed) == 2


def test_who_wrote_nothing_gets_it_again_although_more_has_been_read_meanwhile() -> None:
    partition = Partition(4)
    feed = FeedAhead(partition)
    assert [upto(feed), upto(feed)] == [1, 2]
    partition.written = 1
    feed.rewind()
    assert [upto(feed), upto(feed), upto(feed)] == [2, 3, 4]


def test_what_broke_while_reading_ahead_is_told_after_what_came_before() -> None:
    partition = Partition(4)
    partition.breaks_at = 2
    feed = FeedAhead(partition)
    assert upto(feed) == 1
    with pytest.raises(ValueError, match="it broke"):
        feed.read()
    feed.rewind()
    assert upto(feed) == 1


def test_a_closed_one_reads_no_more() -> None:
    partition = Partition(4)
    feed = FeedAhead(partition)
    feed.read()
    feed.close()
    assert (partition.is_open, partition.at) == (False, 2)
