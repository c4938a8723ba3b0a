"""The connection is lost at the worst of moments: what was asked is done once, or the caller is told that nobody knows.

A commit's outcome is found out by command id, under the lock of the head: whatever the lost connection may still be
doing is over then.
"""

import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest

from commands.ports import Unavailable
from infra.postgres import session
from infra.postgres import writer as module
from infra.postgres.connection import Database
from infra.postgres.writer import Writer
from tests.integration.writing import (
    ask,
    backend_of,
    event,
    head_held,
    outcome,
    query,
    streams,
    terminate,
    until,
    waiting_backends,
)


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    writer = Writer(database, patience=20)
    assert outcome(ask(writer, event("s-0"))) == 1
    yield writer
    writer.close()


@pytest.fixture(params=["guessing", "locking"])
def mode(request: pytest.FixtureRequest, writer: Writer) -> str:
    writer._contended = module.QUIET if request.param == "locking" else 0
    return str(request.param)


Fault = Callable[[Callable[[], str | None], Any], str | None]


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fault], None]:
    """The next append goes wrong in this way; the ones after that go as usual."""

    def arm(fault: Fault) -> None:
        real = module.append

        def append(cursor: Any, *arguments: Any, **named: Any) -> str | None:
            monkeypatch.setattr(module, "append", real)
            return fault(lambda: real(cursor, *arguments, **named), cursor.connection)

        monkeypatch.setattr(module, "append", append)

    return arm


@pytest.mark.usefixtures("mode")
def test_a_commit_whose_answer_is_lost_is_found_and_not_repeated(
    database: Database, writer: Writer, once: Callable[[Fault], None]
) -> None:
    once(_lose_the_answer)
    assert outcome(ask(writer, event("s-1"), command_id="c-1")) == 2
    assert outcome(ask(writer, event("s-2"), command_id="c-2")) == 3
    assert streams(database) == ["s-0", "s-1", "s-2"]


@pytest.mark.usefixtures("mode")
def test_a_commit_that_was_not_to_be_is_repeated(
    database: Database, writer: Writer, once: Callable[[Fault], None]
) -> None:
    def die(append: Callable[[], str | None], connection: Any) -> str | None:
        terminate(database, connection.info.backend_pid)
        return append()

    once(die)
    assert outcome(ask(writer, event("s-1"), command_id="c-1")) == 2
    assert streams(database) == ["s-0", "s-1"]


@pytest.mark.parametrize("fault", ["before the commit", "after the commit"])
def test_without_a_command_id_nobody_can_tell(
    database: Database, writer: Writer, once: Callable[[Fault], None], fault: str
) -> None:
    committed = fault == "after the commit"
    once(_lose_the_answer if committed else _lose_the_request)
    asked = ask(writer, event("s-1"))
    with pytest.raises(Unavailable, match="the outcome is unknown"):
        asked.result(20)
    assert outcome(ask(writer, event("s-2"))) == 2 + committed
    assert streams(database) == ["s-0", "s-1", "s-2"] if committed else ["s-0", "s-2"]


def test_a_batch_is_told_each_by_itself(database: Database, writer: Writer, once: Callable[[Fault], None]) -> None:
    with head_held(database):
        before = ask(writer, event("before"), command_id="before")
        until(lambda: waiting_backends(database))
        asked = [ask(writer, event(f"a-{n}"), event(f"b-{n}"), command_id=f"c-{n}" if n % 2 else "") for n in range(4)]
        once(_lose_the_answer)
    assert outcome(before) == 2
    assert [outcome(each) for each in asked] == [Unavailable, 5, Unavailable, 9]
    assert len(streams(database)) == 10


@pytest.mark.usefixtures("mode")
def test_a_backend_killed_in_the_midst_of_an_append(database: Database, writer: Writer) -> None:
    with head_held(database):
        asked = ask(writer, event("s-1"), command_id="c-1")
        until(lambda: waiting_backends(database))
        terminate(database, backend_of(writer))
    assert outcome(asked) == 2
    assert streams(database) == ["s-0", "s-1"]


def test_a_lost_connection_whose_transaction_lives_on_is_waited_for(database: Database, writer: Writer) -> None:
    """As when the network breaks: the client has given up, and the server commits nonetheless."""
    with head_held(database):
        asked = ask(writer, event("s-1"), command_id="c-1")
        until(lambda: waiting_backends(database))
        _cut(writer)
        until(lambda: len(waiting_backends(database)) == 2)
        assert not asked.done()
    assert outcome(asked) == 2
    assert outcome(ask(writer, event("s-2"), command_id="c-2")) == 3
    assert streams(database) == ["s-0", "s-1", "s-2"]


def test_the_same_command_id_of_another_request_is_no_commit_of_ours(
    database: Database, writer: Writer, once: Callable[[Fault], None]
) -> None:
    def overtaken(_: Callable[[], str | None], connection: Any) -> str | None:
        other = Writer(database)
        assert outcome(ask(other, event("o-1"), command_id="c-1", digest="another")) == 2
        other.close()
        return _fail(connection)

    once(overtaken)
    assert outcome(ask(writer, event("s-1"), command_id="c-1")) is module.Conflict
    assert streams(database) == ["s-0", "o-1"]


def test_a_connection_that_ended_while_idle_goes_unnoticed(database: Database, writer: Writer) -> None:
    terminate(database, backend_of(writer))
    assert outcome(ask(writer, event("s-1"))) == 2


def test_a_process_that_stalls_with_the_head_locked_loses_it(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch, once: Callable[[Fault], None]
) -> None:
    """Else a stopped process, or a host that fell silent, would hold up all others."""
    monkeypatch.setattr(session, "STALL", "100ms")
    terminate(database, backend_of(writer))
    writer._contended = module.QUIET

    def stall(append: Callable[[], str | None], connection: Any) -> str | None:
        pid = connection.info.backend_pid
        until(lambda: not query(database, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid))
        assert outcome(ask(other, event("o-1"))) == 2
        return append()

    other = Writer(database)
    once(stall)
    assert outcome(ask(writer, event("s-1"), command_id="c-1")) == 3
    other.close()
    assert streams(database) == ["s-0", "o-1", "s-1"]


def test_who_waited_too_long_is_told_and_the_next_ones_are_told_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[str] = []

    def connect(*_: Any, name: str) -> Any:
        attempts.append(name)
        raise psycopg2.OperationalError("could not connect")

    writer = Writer(database, patience=0.2)
    with monkeypatch.context() as away:
        away.setattr(Database, "connect", connect)
        assert outcome(ask(writer, event("s-1"), command_id="c-1")) is Unavailable
        tried = len(attempts)
        assert tried > 1
        assert outcome(ask(writer, event("s-1"), command_id="c-1")) is Unavailable
        assert len(attempts) == tried + 1
    writer._patience = 60
    assert outcome(ask(writer, event("s-1"), command_id="c-1")) == 1
    writer.close()


def _lose_the_answer(append: Callable[[], str | None], connection: Any) -> str | None:
    assert append()
    return _fail(connection)


def _lose_the_request(_: Callable[[], str | None], connection: Any) -> str | None:
    return _fail(connection)


def _fail(connection: Any) -> str | None:
    connection.close()
    raise psycopg2.OperationalError("server closed the connection unexpectedly")


def _cut(writer: Writer) -> None:
    """The client's end of the connection, while the server sees nothing."""
    assert writer._session._cursor is not None
    with socket.socket(fileno=os.dup(writer._session._cursor.connection.fileno())) as ours:
        ours.shutdown(socket.SHUT_RD)
