"""The relay's book is read ahead in a backlog, and says the same as it would without."""

from collections.abc import Sequence

from consumers.ahead import Ahead
from consumers.ports import Recorded


class Book:
    """Notes what it is asked for."""

    def __init__(self, size: int, most: int = 1_000) -> None:
        self.size, self.most = size, most
        self.asked: list[tuple[int, int]] = []

    def end(self) -> int:
        return self.size

    def read(self, after: int, upto: int) -> Sequence[Recorded]:
        self.asked.append((after, upto))
        last = min(upto, self.size, after + self.most)
        return [event(position) for position in range(after + 1, last + 1)]


def event(position: int) -> Recorded:
    return Recorded(position, "s", position, "t", 1, "k", "", "", "{}", "{}")


def positions(events: Sequence[Recorded]) -> list[int]:
    return [event.position for event in events]


def test_what_follows_a_full_batch_has_been_read_by_the_time_it_is_asked_for() -> None:
    book = Book(30)
    ahead = Ahead(book)
    assert positions(ahead.read(0, 10)) == list(range(1, 11))
    assert positions(ahead.read(10, 20)) == list(range(11, 21))
    assert book.asked[:2] == [(0, 10), (10, 20)]
    assert book.asked.count((10, 20)) == 1


def test_what_was_not_there_yet_is_asked_for_again() -> None:
    book = Book(10)
    ahead = Ahead(book)
    ahead.read(0, 10)
    book.size = 15
    assert positions(ahead.read(10, 15)) == list(range(11, 16))


def test_who_begins_elsewhere_gets_what_follows_there() -> None:
    ahead = Ahead(Book(30))
    ahead.read(0, 10)
    assert positions(ahead.read(4, 8)) == [5, 6, 7, 8]


def test_never_more_than_was_asked_for() -> None:
    ahead = Ahead(Book(30))
    ahead.read(0, 10)
    assert positions(ahead.read(10, 12)) == [11, 12]
    assert positions(ahead.read(12, 13)) == [13]


def test_events_that_are_too_big_to_be_read_at_once_come_all_the_same() -> None:
    ahead, found = Ahead(Book(30, most=7)), list[int]()
    while len(found) < 30:
        found += positions(ahead.read(len(found), min(len(found) + 10, 30)))
    assert found == list(range(1, 31))
