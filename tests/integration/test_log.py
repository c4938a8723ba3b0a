"""The book as the relay reads it: whole, in order, and no more than can be held."""

from collections.abc import Iterator

import pytest

from commands.ports import Unavailable
from infra.postgres.connection import Database, Pool
from infra.postgres.log import StoreLog
from infra.postgres.writer import Writer
from tests.integration.writing import ask, event, outcome


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    writer = Writer(database)
    yield writer
    writer.close()


def write(writer: Writer, *payloads: str) -> None:
    for number, payload in enumerate(payloads, 1):
        assert outcome(ask(writer, event(f"s{number}", payload=payload))) == number


def test_an_empty_book_ends_at_0(pool: Pool) -> None:
    assert StoreLog(pool).end() == 0
    assert StoreLog(pool).read(0, 100) == []


def test_events_are_read_as_they_were_written(writer: Writer, pool: Pool) -> None:
    write(writer, '{"a": 1}', "{}", "{}")
    book = StoreLog(pool)
    assert book.end() == 3
    first, *_ = book.read(0, 3)
    assert (first.position, first.stream, first.version, first.type) == (1, "s1", 1, "test.happened")
    assert (first.schema_version, first.order_key, first.payload, first.metadata) == (1, "s1", '{"a": 1}', "{}")
    assert first.effective_at == "2026-01-01 00:00:00+00"
    assert [each.position for each in book.read(1, 2)] == [2]


def test_no_more_is_read_than_can_be_held_but_always_one(writer: Writer, pool: Pool) -> None:
    small, large = f'"{"x" * 98}"', f'"{"x" * 9_998}"'
    write(writer, small, small, small, large, small, small)
    book = StoreLog(pool, most_bytes=250)
    assert [each.position for each in book.read(0, 6)] == [1, 2, 3]
    assert [each.position for each in book.read(2, 6)] == [3, 4]
    assert [each.position for each in book.read(3, 6)] == [4]
    assert [each.position for each in book.read(4, 6)] == [5, 6]


def test_a_server_that_is_away_is_unavailable() -> None:
    with Pool(Database("postgresql://127.0.0.1:1/none")) as pool:
        for asked in (lambda: StoreLog(pool).end(), lambda: StoreLog(pool).read(0, 1)):
            with pytest.raises(Unavailable):
                asked()
