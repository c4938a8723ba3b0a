"""A server that hangs neither answers nor goes away: callers are told in time; what was not begun is not done later."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from zoneinfo import ZoneInfo

import pytest

from commands.ports import Unavailable
from infra.postgres.connection import Database, Pool
from infra.postgres.ledger import PostgresLedger
from infra.postgres.writer import Writer
from tests.integration.writing import ask, backend_of, event, outcome, streams, until


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    with closing(Writer(database, patience=60)) as writer:
        assert outcome(ask(writer, event("s-0"), command_id="c-0")) == 1
        yield writer


@pytest.fixture
def hung(writer: Writer) -> Iterator[int]:
    """The process of the server's that serves the writer."""
    pid = backend_of(writer)
    os.kill(pid, signal.SIGSTOP)
    writer._patience = 2
    yield pid
    os.kill(pid, signal.SIGCONT)


def test_who_waits_for_a_server_that_hangs_is_told_in_time(database: Database, writer: Writer, hung: int) -> None:
    """What was under way when it hung may be done, as its command id tells; what came after it is not."""
    under_way = ask(writer, event("s-1"), command_id="c-1")
    until(lambda: writer._in_flight)
    after = ask(writer, event("s-2"), command_id="c-2")
    assert [outcome(under_way), outcome(after)] == [Unavailable, Unavailable]
    writer._patience = 60
    os.kill(hung, signal.SIGCONT)
    assert isinstance(outcome(ask(writer, event("s-3"), command_id="c-3")), int)
    assert "s-2" not in streams(database)
    assert "s-3" in streams(database)


def test_it_is_not_ready_meanwhile(database: Database, pool: Pool) -> None:
    with closing(PostgresLedger(database, pool, ZoneInfo("UTC"))) as ledger:
        ledger.probe(60)
        pid = backend_of(ledger._writer)
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(Unavailable, match="has not answered"):
                ledger.probe(0.2)
        finally:
            os.kill(pid, signal.SIGCONT)
        ledger.probe(60)


def test_a_probe_writes_and_changes_nothing(database: Database, pool: Pool) -> None:
    with closing(PostgresLedger(database, pool, ZoneInfo("UTC"))) as ledger:
        outcome(ask(ledger._writer, event("s-1")))
        [before] = pool.read("SELECT xmin::text, position, recorded_at FROM head")
        ledger.probe(60)
        [after] = pool.read("SELECT xmin::text, position, recorded_at FROM head")
        ledger._writer._contended = 10
        ledger.probe(60)
        assert outcome(ask(ledger._writer, event("s-2"))) == 2
    assert before[0] != after[0]
    assert before[1:] == after[1:]
