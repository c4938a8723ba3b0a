"""One transaction for all that is waiting, and an answer to each by itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from psycopg2.errors import NumericValueOutOfRange

from commands.ports import Conflict, Unavailable
from infra.postgres import writer as module
from infra.postgres.append import Request
from infra.postgres.connection import Database
from infra.postgres.writer import Writer
from tests.integration.writing import ask, event, one_batch, outcome, query, streams


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    writer = Writer(database)
    yield writer
    writer.close()


def test_what_is_waiting_is_committed_in_one_transaction(database: Database, writer: Writer) -> None:
    with one_batch(writer, database):
        asked = [ask(writer, event(f"s-{number}"), event(f"t-{number}")) for number in range(10)]
    assert [outcome(each) for each in asked] == list(range(2, 22, 2))
    assert query(database, "SELECT count(DISTINCT xmin::text) FROM event WHERE position > 1") == [(1,)]


BAD = {
    "a stream that has moved on": ([event("s-held")], "", Conflict),
    "a claim that is taken": ([event("s-bad", claims="invoice:held")], "", Conflict),
    "a command id that is known": ([event("s-bad")], "held", Conflict),
    "the same version twice": ([event("s-bad"), event("s-bad")], "", Conflict),
    "the same claim twice": ([event("s-bad", claims="a:1"), event("s-bad", 2, claims="a:1")], "", Conflict),
    "a NUL": ([event("s-bad", payload='"\0"')], "", ValueError),
    "a unit separator": ([event("s-bad", payload="\x1f")], "", psycopg2.DataError),
    "a unit separator and nothing else": ([event("\x1f")], "", psycopg2.DataError),
    "half a surrogate pair": ([event("s-bad", payload="\ud800")], "", UnicodeEncodeError),
    "a version that follows on nothing": ([event("s-bad", 3)], "", Conflict),
    "versions with a gap between them": ([event("s-bad"), event("s-bad", 3)], "", Conflict),
    "a version that is no bigint": ([event("s-bad", 2**63)], "", psycopg2.DataError),
    "a time that is none": ([("s-bad", "1", "t", "1", "k", "tomorrowish", "{}", "{}", "")], "", psycopg2.DataError),
    "a key too long for an index": ([event("".join(map(chr, range(33, 9000))))], "", psycopg2.OperationalError),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_request_spoils_nothing_but_itself(database: Database, writer: Writer, bad: str) -> None:
    rows, command_id, refused = BAD[bad]
    held = ask(writer, event("s-held", claims="invoice:held"), command_id="held")
    assert outcome(held) == 1
    with one_batch(writer, database):
        asked = [
            ask(writer, event("s-1"), command_id="c-1"),
            ask(writer, event("s-2"), *rows, command_id=command_id),
            ask(writer, event("s-3"), command_id="c-3"),
        ]
    first, second, third = map(outcome, asked)
    assert (first, third) == (3, 4)
    assert isinstance(second, type)
    assert issubclass(second, refused)
    assert outcome(ask(writer, event("s-4"))) == 5
    assert streams(database) == ["s-held", "before", "s-1", "s-3", "s-4"]


def test_bad_requests_of_all_kinds_in_one_batch_are_each_told(database: Database, writer: Writer) -> None:
    ask(writer, event("s-held", claims="invoice:held"), command_id="held")
    with one_batch(writer, database):
        bad = [ask(writer, event(f"b-{n}"), *rows, command_id=id) for n, (rows, id, _) in enumerate(BAD.values())]
        good = [ask(writer, event(f"s-{number}")) for number in range(5)]
    assert [outcome(each) for each in good] == [3, 4, 5, 6, 7]
    for future, (_, _, refused) in zip(bad, BAD.values(), strict=True):
        assert isinstance(future.exception(10), refused)
    assert len(streams(database)) == 7


def test_a_conflict_is_told_from_a_version_that_nobody_could_look_up(database: Database, writer: Writer) -> None:
    ask(writer, event("s-held"))
    with one_batch(writer, database):
        asked = [ask(writer, event(*each)) for each in (("s-1",), ("s-held",), ("s-2", 2**63), ("s-3",))]
    assert [outcome(each) for each in asked] == [3, Conflict, NumericValueOutOfRange, 4]


def test_of_rivals_in_a_batch_the_first_one_wins(database: Database, writer: Writer) -> None:
    with one_batch(writer, database):
        asked = [ask(writer, event("s-1"), event(f"s-{number}"), command_id=f"c-{number}") for number in range(2, 6)]
    assert [outcome(each) for each in asked] == [2, Conflict, Conflict, Conflict]
    assert streams(database) == ["before", "s-1", "s-2"]


def test_a_rival_of_a_refused_one_has_its_turn(database: Database, writer: Writer) -> None:
    ask(writer, event("s-held"))
    with one_batch(writer, database):
        asked = [ask(writer, event("s-held"), event("s-1")), ask(writer, event("s-1")), ask(writer, event("s-1"))]
    assert [outcome(each) for each in asked] == [Conflict, 3, Conflict]


def test_the_same_command_sent_twice_at_once_is_applied_once(database: Database, writer: Writer) -> None:
    with one_batch(writer, database):
        asked = [ask(writer, event("s-1"), command_id="c-1"), ask(writer, event("s-1"), command_id="c-1")]
    assert [outcome(each) for each in asked] == [2, Conflict]


def test_a_fault_of_our_own_is_told_and_does_not_end_the_thread(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "append", lambda *_, **__: 1 / 0)
        assert outcome(ask(writer, event("s-1"))) is ZeroDivisionError
    assert outcome(ask(writer, event("s-1"))) == 1
    assert streams(database) == ["s-1"]


def test_a_caller_that_cannot_take_its_answer_harms_nobody(database: Database, writer: Writer) -> None:
    with one_batch(writer, database):
        writer.submit(Request([event("s-1")], (), lambda _: 1 / 0))
        asked = ask(writer, event("s-2"))
    assert outcome(asked) == 3
    assert streams(database) == ["before", "s-1", "s-2"]


def test_closing_commits_what_is_waiting_and_takes_no_more(database: Database, writer: Writer) -> None:
    with ThreadPoolExecutor(1) as threads:
        with one_batch(writer, database):
            asked = [ask(writer, event(f"s-{number}")) for number in range(5)]
            closing = threads.submit(writer.close)
        closing.result(20)
    assert [outcome(each) for each in asked] == [2, 3, 4, 5, 6]
    assert outcome(ask(writer, event("s-late"))) is Unavailable


def test_time_of_recording_never_goes_back(database: Database, writer: Writer) -> None:
    outcome(ask(writer, event("s-1")))
    ahead = datetime.now(UTC) + timedelta(hours=1)
    query(database, "UPDATE head SET recorded_at = %s RETURNING 1", ahead)
    outcome(ask(writer, event("s-2")))
    times = [time for (time,) in query(database, "SELECT recorded_at FROM event ORDER BY position")]
    assert times[0] < times[1] == ahead


def test_writers_of_several_processes_take_turns(database: Database) -> None:
    """Each with a connection of its own, as processes have."""
    writers = [Writer(database) for _ in range(3)]
    with ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(_write, writers[n % 3], f"s-{n}") for n in range(12)]
        acknowledged = [each for future in asked for each in future.result()]
    for writer in writers:
        writer.close()
    assert any(writer._contended for writer in writers)
    found = streams(database)
    assert [found[position - 1] for position, _ in acknowledged] == [stream for _, stream in acknowledged]
    assert len(found) == 12 * 50


def _write(writer: Writer, stream: str) -> list[tuple[int, str]]:
    return [(ask(writer, event(stream, version)).result(60), stream) for version in range(1, 51)]


def test_a_writer_that_is_alone_again_goes_back_to_guessing(database: Database, writer: Writer) -> None:
    assert outcome(ask(writer, event("s-1"))) == 1
    other = Writer(database)
    assert outcome(ask(other, event("o-1"))) == 2
    other.close()
    assert outcome(ask(writer, event("s-2"))) == 3
    assert writer._contended
    for version in range(1, module.QUIET + 2):
        outcome(ask(writer, event("s-3", version)))
    assert not writer._contended
    assert outcome(ask(writer, event("s-4"))) == module.QUIET + 5
