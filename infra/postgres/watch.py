"""Tells a server that hangs from one that is busy, and frees those who wait for the one that hangs.

No setting of libpq or of the server does it: who hangs times nothing out, and on a local socket nobody else does.
"""

import os
import select
import socket
from contextlib import closing, suppress
from threading import Event, Thread
from time import monotonic

import psycopg2
import structlog
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE
from psycopg2.extensions import connection as Connection

log = structlog.get_logger(__name__)

WORD_WITHIN = 5.0
"""Seconds in which a server that lives has a new connection, and an answer on it."""


class Watch:
    """Over connections that are lent. One is cut off when it has waited for the whole patience, no other had an answer
    meanwhile, and the server says no word to a new one. A report that takes long is left alone: the server talks."""

    def __init__(self, dsn: str, patience: float) -> None:
        self._dsn = dsn
        self._patience = patience
        self._lent: dict[Connection, float] = {}
        self._heard_at = monotonic()
        self._lost_since: float | None = None
        self._stopped = Event()
        if patience:
            Thread(target=self._run, name="watch", daemon=True).start()

    def lend(self, connection: Connection) -> None:
        self._lent[connection] = monotonic()

    def back(self, connection: Connection) -> None:
        del self._lent[connection]
        if not connection.closed:
            self.heard()

    def heard(self) -> None:
        self._heard_at, self._lost_since = monotonic(), None

    def lost(self) -> None:
        self._lost_since = self._lost_since or monotonic()

    @property
    def has_given_up(self) -> bool:
        """Whether it has been lost for longer than one is to wait."""
        since = self._lost_since
        return since is not None and monotonic() - since >= self._patience

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(min(1.0, self._patience / 4)):
            now = monotonic()
            waiting = [each for each, since in self._lent.copy().items() if self._is_silent(since, now)]
            if waiting or self.has_given_up:
                self._ask(waiting)

    def _is_silent(self, since: float, now: float) -> bool:
        return now - max(since, self._heard_at) >= self._patience

    def _ask(self, waiting: list[Connection]) -> None:
        try:
            ask(self._dsn, WORD_WITHIN)
        except TimeoutError:
            if waiting:
                log.error("database hangs", waiting=len(waiting), patience=self._patience)
                self._lost_since = self._lost_since or monotonic() - self._patience
            for connection in waiting:
                _cut(connection)
        except psycopg2.Error:
            pass  # it is away, or full: whom it has left knows by now
        else:
            self.heard()


def ask(dsn: str, within: float) -> None:
    """One word with the server, on a connection of its own. TimeoutError if it says nothing."""
    until = monotonic() + within
    with closing(psycopg2.connect(dsn, async_=True)) as connection:
        _finish(connection, until)
        cursor = connection.cursor()  # the connection does not hold it
        cursor.execute("SELECT 1")
        _finish(connection, until)


def _finish(connection: Connection, until: float) -> None:
    events = {POLL_READ: select.POLLIN, POLL_WRITE: select.POLLOUT}
    while (state := connection.poll()) != POLL_OK:
        poll = select.poll()
        poll.register(connection, events[state])
        if not poll.poll(max(0, until - monotonic()) * 1000):
            raise TimeoutError


def _cut(connection: Connection) -> None:
    """Who waits on it is told that the server has gone. Its descriptor stays his."""
    with suppress(OSError, psycopg2.InterfaceError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def has_ended(connection: Connection) -> bool:
    """Nobody has asked anything: if the server has something to say, it is farewell."""
    if connection.closed:
        return True
    poll = select.poll()  # select() itself takes no descriptor beyond 1023
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
