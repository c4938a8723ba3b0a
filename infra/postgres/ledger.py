"""The ledger that the bus writes to: commands/ports.py on PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import structlog

from commands.ports import Found, Known, Tries, Unavailable, Unit, Written
from domain.aggregate import Aggregate
from domain.refusal import Refusal
from infra.postgres.append import CommandRow, Request, entry_row
from infra.postgres.clock import DatabaseClock
from infra.postgres.connection import LOST, Database, Pool, read_sql
from infra.postgres.session import SetBack
from infra.postgres.shelf import Shelf
from infra.postgres.writer import Writer

SQL = Path(__file__).with_name("sql")
LOOK = read_sql(SQL / "look.sql")
REFUSE = read_sql(SQL / "refuse.sql")

log = structlog.get_logger(__name__)


class PostgresLedger:
    def __init__(
        self,
        database: Database,
        pool: Pool,
        time_zone: ZoneInfo,
        *,
        patience: float = 30.0,
        clock: DatabaseClock | None = None,
        booked: Callable[[], object] = bool,
    ) -> None:
        self._clock = clock or DatabaseClock()
        self._pool = pool
        self._shelf = Shelf(pool, time_zone)
        self._writer = Writer(database, patience=patience, forget=self._forget, clock=self._clock, booked=booked)
        self._snapshots = ThreadPoolExecutor(1, thread_name_prefix="snapshots")
        self.cached = self._shelf.cached
        self.evict = self._shelf.evict

    @property
    def era(self) -> int:
        return self._shelf.era

    def _forget(self) -> int:
        """Idle connections may lead to a server that is not the one any more."""
        self._pool.drop()
        return self._shelf.forget()

    def submit(self, units: Sequence[Unit], done: Callable[[int | Exception], object], era: int) -> None:
        rows = [entry_row(entry) for unit in units for entry in unit.entries]
        commands: list[CommandRow] = []
        first = 0
        for unit in units:
            commands.append(CommandRow(unit.command_id, unit.digest, first, len(unit.entries)))
            first += len(unit.entries)
        closings = [unit.open_from for unit in units if unit.open_from]
        self._writer.submit(Request(rows, commands, done, max(closings, default=None), era))

    @property
    def acknowledged(self) -> int:
        """The last position that this process has booked and told of, as far as the book has it still."""
        return self._writer.acknowledged

    @property
    def set_back(self) -> SetBack | None:
        """The last time that the book was found set back."""
        return self._writer.set_back

    def probe(self, within_s: float) -> None:
        """Raises Unavailable unless an append would be committed now. It is one, and changes nothing."""
        answer: SimpleQueue[int | Exception] = SimpleQueue()
        self._writer.submit(Request((), (), answer.put))
        try:
            found = answer.get(timeout=within_s)
        except Empty:
            raise Unavailable(f"The ledger has not answered within {within_s:g} s.") from None
        if isinstance(found, Exception):
            raise Unavailable(str(found)) from found

    def held(self, claim: str) -> str | None:
        return self._shelf.held(claim)

    def look(self, command_ids: Iterable[str], claims: Iterable[str]) -> Found:
        with _available():
            return self._told(self._pool.read(LOOK, (list(command_ids),)), self.holders(claims))

    def refuse(self, digests: Mapping[str, str]) -> Found:
        given = {"ids": list(digests), "digests": list(digests.values())}
        with _available(), self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(REFUSE, given)
            cursor.execute(LOOK, (given["ids"],))
            return self._told(cursor.fetchall(), ())

    def _told(self, rows: Sequence[tuple[Any, ...]], claims: Iterable[str]) -> Found:
        known: dict[str, Known] = {}
        tries: dict[str, Tries] = {}
        for id, digest, refused_at, position, *event in rows:
            if refused_at:
                before = tries.get(id, Tries(0, refused_at))
                tries[id] = Tries(before.refused + 1, max(before.last_at, refused_at))
            elif position:
                events = known[id].events if id in known else ()
                known[id] = Known(digest, position, (*events, Written(position, *event)))
        return Found(known, frozenset(claims), tries)

    def latest(self) -> datetime:
        return self._clock.latest()

    def fetch(self, streams: Iterable[str]) -> Mapping[str, Aggregate | Refusal]:
        with _available():
            fetched, due = self._shelf.fetch(streams)
        self._snapshot_later(due)
        return fetched

    def recall(self, streams: Iterable[str]) -> Mapping[str, Aggregate | Refusal]:
        with _available():
            return self._shelf.recall(streams)

    def holders(self, claims: Iterable[str]) -> Mapping[str, str]:
        with _available():
            return self._shelf.holding(claims)

    def keep(self, aggregates: Iterable[Aggregate], holders: Mapping[str, str], era: int) -> None:
        self._snapshot_later(self._shelf.keep(aggregates, holders, era))

    def _snapshot_later(self, due: Sequence[Aggregate]) -> None:
        if due:
            with suppress(RuntimeError):  # it is being closed; snapshots are a convenience
                self._snapshots.submit(self._take_snapshots, due)

    def _take_snapshots(self, aggregates: Sequence[Aggregate]) -> None:
        try:
            self._shelf.snapshot(aggregates)
        except LOST as error:
            log.warning("snapshots not taken", streams=len(aggregates), error=repr(error))
        except Exception:
            log.exception("snapshots not taken", streams=len(aggregates))

    def close(self) -> None:
        self._writer.close()
        self._snapshots.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        self.close()


@contextmanager
def _available() -> Iterator[None]:
    """A lost connection while reading becomes Unavailable: nothing was asked for that could be in doubt."""
    try:
        yield
    except LOST as error:
        raise Unavailable("The ledger cannot be reached.") from error
