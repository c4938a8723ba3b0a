"""What a partition brings must follow on what came before."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from consumers.ports import Gap, Recorded
from infra.kafka import wire
from infra.kafka.chain import Apart, Chain, Foreign, Lost, Strange

TYPES = frozenset({"test.happened"})
OURS, THEIRS = "f0e1", "0a1b"


class Record(NamedTuple):
    """As much of kafka-python's as is looked at."""

    key: bytes | None
    data: bytes | None
    headers: wire.Headers
    offset: int = 7

    @property
    def value(self) -> tuple[bytes | None, wire.Headers]:
        return Apart().deserialize("book.events", self.headers[:], self.data)


def origin(ledger: str | None) -> wire.Headers:
    """As the release before had it, if there is none."""
    return wire.origin("book", ledger or "")[: 2 if ledger else 1]


def event(
    position: int,
    previous: int,
    stream: str = "s",
    version: int = 1,
    type: str = "test.happened",
    ledger: str | None = OURS,
) -> Record:
    at = f"2026-01-01 00:00:{position:02}+00"
    recorded = Recorded(position, stream, version, type, 1, "key", at, at, "{}", "{}")
    return Record(b"key", b"{}", wire.headers(recorded, previous, origin(ledger)))


def mark(position: int, previous: int) -> Record:
    return Record(None, b"", wire.mark(position, previous, 3, "2026-01-01 00:00:00+00", origin(OURS)))


def chain(at: int = 0, remembered: int = 100) -> Chain:
    return Chain("book.events", 3, at, TYPES, remembered, OURS)


def positions(chain: Chain, *records: Record) -> list[int]:
    batch, broken = chain.follow(records)  # type: ignore[arg-type]
    assert broken is None
    return [found.position for found in batch.events] if batch else []


def gaps(chain: Chain, *records: Record) -> list[Gap]:
    batch, broken = chain.follow(records)  # type: ignore[arg-type]
    assert broken is None
    assert batch
    return list(batch.gaps)


def test_what_follows_is_brought_as_one_batch() -> None:
    batch, broken = chain(at=2).follow([event(4, 2), event(9, 4, version=2)])  # type: ignore[list-item]
    assert broken is None
    assert batch
    assert (batch.partition, batch.after, batch.upto) == (3, 2, 9)
    assert [found.position for found in batch.events] == [4, 9]


def test_a_mark_moves_on_without_an_event() -> None:
    batch, _ = chain(at=2).follow([mark(9, 2)])  # type: ignore[list-item]
    assert batch
    assert (batch.after, batch.upto, batch.events) == (2, 9, [])


def test_an_event_of_another_type_moves_on_without_being_brought() -> None:
    batch, _ = chain().follow([event(4, 0, type="test.else")])  # type: ignore[list-item]
    assert batch
    assert (batch.upto, batch.events) == (4, [])


def test_repeats_are_dropped() -> None:
    assert positions(chain(at=4), event(1, 0), event(4, 1, version=2), event(6, 4, version=3)) == [6]


def test_nothing_but_repeats_is_nothing() -> None:
    assert chain(at=4).follow([event(1, 0), event(4, 1)]) == (None, None)  # type: ignore[list-item]


def test_a_place_between_two_messages_is_followed_by_the_second() -> None:
    assert positions(chain(at=5), event(4, 0), event(9, 4, version=2)) == [9]


def test_a_message_whose_predecessor_is_missing_ends_the_batch_and_is_told() -> None:
    batch, broken = chain(at=2).follow([event(4, 2), event(9, 7), event(10, 9)])  # type: ignore[list-item]
    assert batch
    assert batch.upto == 4
    assert isinstance(broken, Lost)
    assert "book.events has lost messages of partition 3, between the positions 4 and 7" in str(broken)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record._replace(headers=[]),
        lambda record: record._replace(key=None),
        lambda record: record._replace(data=None),
        lambda record: record._replace(key=b"\xff"),
        lambda record: record._replace(headers=[*record.headers, ("ce_position", b"many")]),
        lambda record: record._replace(headers=[*record.headers, ("ce_type", None)]),
    ],
    ids=["no headers", "no key", "no value", "key", "position", "header without a value"],
)
def test_a_message_that_is_not_ours_ends_the_batch_and_is_told(spoil: Callable[[Record], Record]) -> None:
    batch, broken = chain().follow([event(4, 0), spoil(event(5, 4, version=2))])  # type: ignore[list-item]
    assert batch
    assert batch.upto == 4
    assert isinstance(broken, Foreign)
    assert "Offset 7 of partition 3 of the topic book.events" in str(broken)


def test_a_stream_is_taken_at_any_version_at_first() -> None:
    assert gaps(chain(at=5), event(6, 5, version=8), event(7, 6, version=9)) == []


def test_a_version_that_is_skipped_is_a_gap_and_told_once() -> None:
    found = gaps(chain(), event(1, 0), event(2, 1, version=4), event(3, 2, version=5))
    assert found == [Gap("s", "key", 2, 4, 2)]


def test_a_version_that_comes_again_is_a_gap() -> None:
    found = gaps(chain(), event(1, 0), event(2, 1, version=2), event(3, 2, version=1), event(4, 3, version=3))
    assert found == [Gap("s", "key", 3, 1, 3)]


def test_versions_are_followed_over_batches_and_types() -> None:
    followed = chain()
    assert gaps(followed, event(1, 0), event(2, 1, version=2, type="test.else")) == []
    assert gaps(followed, event(3, 2, version=3)) == []
    assert gaps(followed, event(4, 3, version=5, type="test.else")) == [Gap("s", "key", 4, 5, 4)]


def test_the_stream_that_has_been_quiet_for_longest_is_forgotten_first() -> None:
    followed = chain(remembered=2)
    gaps(followed, event(1, 0, "a"), event(2, 1, "b"), event(3, 2, "a", 2), event(4, 3, "c"))
    assert [gap.stream for gap in gaps(followed, event(5, 4, "b", 9), event(6, 5, "c", 9))] == ["c"]
    assert len(followed._versions) == 2


def test_a_batch_says_when_its_last_message_was_recorded() -> None:
    batch, _ = chain().follow([event(4, 0), event(9, 4, version=2, type="test.else")])  # type: ignore[list-item]
    assert batch
    assert batch.recorded_at == "2026-01-01T00:00:09+00:00"


def test_what_is_of_another_ledger_is_never_taken() -> None:
    batch, broken = chain().follow([event(1, 0), event(2, 1, version=2, ledger=THEIRS)])  # type: ignore[list-item]
    assert batch
    assert batch.upto == 1
    assert isinstance(broken, Strange)
    assert OURS in str(broken)
    assert THEIRS in str(broken)


def test_what_does_not_say_of_which_ledger_it_is_is_brought() -> None:
    assert positions(chain(), event(1, 0, ledger=None), event(2, 1, version=2)) == [1, 2]
