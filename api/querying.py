"""Asks a projection's query, for HTTP and the command line alike."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, takewhile
from typing import Any

import orjson
from psycopg2 import DataError

from api.rendering import dumps
from domain.refusal import Refusal, not_found
from infra.postgres.migrate import Ledger
from infra.postgres.queries import PAGE_BYTES, Progress, Queries, bare, page, within
from infra.postgres.shape_sql import log_table
from projections import PROJECTIONS
from projections.query import AsOf, ListParameters, Parameters, Period, Query

FEW = 100
"""Rows without facts that are no page too big, whatever is in them. Measuring them would cost a tenth of the answer."""

HOLDING = {projection.name: [log_table(shape) for shape in projection.shapes] for projection in PROJECTIONS}


@dataclass(frozen=True, slots=True)
class Answer:
    """``items`` and ``next`` of a list, or the ``body`` of another answer; ``meta`` says what it was computed from."""

    meta: Mapping[str, Any]
    body: Mapping[str, Any]
    items: Sequence[Mapping[str, Any]] | None = None
    next: str | None = None


def ask(queries: Queries, ledger: Ledger, query: Query, given: Parameters) -> Answer | None:
    """The answer, or None if there is no such thing. Refusal ``behind`` if it is not as far as is asked for,
    ``not_found`` if what is asked about is unknown."""
    has_written(queries, query.projection, given.min_position)
    values = values_of(queries, ledger, given)
    if isinstance(given, ListParameters):
        return _list(queries, query, given, values)
    assert query.assemble
    progress, rows = queries.answer(query.projection, query.text, values)
    meta = meta_of(values, given, progress)
    body = query.assemble(rows, values)
    if body is None:
        check_things(queries, query, values)
        return None
    return Answer(meta, body)


def _list(queries: Queries, query: Query, given: ListParameters, values: Mapping[str, Any]) -> Answer:
    plain, asked = _page(query, given, values)
    sql = within(plain, query.order_keys) if query.has_facts or given.limit > FEW else plain
    with _cursor_refused(given):
        progress, found = queries.answer(query.projection, sql, asked)
    meta = meta_of(values, given, progress)
    if not found:
        check_things(queries, query, values)
    goes_on = len(found) > given.limit or bool(found and found[-1].get("goes_on"))
    rows = found[: given.limit] if sql == plain else list(map(bare, found[: given.limit]))
    return Answer(meta, {}, rows, _next(query, rows[-1]) if goes_on else None)


class Listing:
    """A list of any length, all of one moment, read while it is shown: ``pieces``, then ``next`` is known."""

    def __init__(
        self, query: Query, limit: int, bytes: int | None, meta: Mapping[str, Any], rows: Iterator[Sequence[Any]]
    ) -> None:
        self.meta = meta
        self.next: str | None = None
        self._query = query
        self._limit, self._bytes = limit, bytes
        self._rows = rows
        self._last: Mapping[str, Any] | None = None

    def pieces(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        for rows in self._rows:
            kept = list(takewhile(self._has_room, rows))
            yield kept
            if len(kept) < len(rows):
                assert self._last
                self.next = _next(self._query, self._last)
                return

    def _has_room(self, row: dict[str, Any]) -> bool:
        if self._limit == 0 or (self._last and self._bytes is not None and self._bytes <= 0):
            return False
        self._limit -= 1
        size = row.pop("bytes")
        self._bytes = None if self._bytes is None else self._bytes - size
        self._last = row
        return True


@contextmanager
def listing(
    queries: Queries, ledger: Ledger, query: Query, given: ListParameters, bytes: int | None
) -> Iterator[Listing]:
    """A list, of so many bytes at the most; else as ``ask``."""
    has_written(queries, query.projection, given.min_position)
    values = values_of(queries, ledger, given)
    sql, asked = _page(query, given, values)
    with queries.moment(HOLDING[query.projection]) as answering, _cursor_refused(given):
        meta = meta_of(values, given, answering.progress(query.projection))
        rows = answering.scroll(sql, asked)
        if first := next(rows, None):
            yield Listing(query, given.limit, bytes, meta, chain([first], rows))
        else:
            check_things(queries, query, values)
            yield Listing(query, given.limit, bytes, meta, iter(()))


def _page(query: Query, given: ListParameters, values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    after = read_cursor(given.cursor, len(query.order)) if given.cursor else None
    asked = {**values, "after": tuple(after or ()), "most": given.limit + 1, "bytes": PAGE_BYTES}
    return page(query.text, query.order_keys, goes_on=after is not None), asked


def _next(query: Query, last: Mapping[str, Any]) -> str:
    return write_cursor([last[column] for column in query.order])


@contextmanager
def _cursor_refused(given: ListParameters) -> Iterator[None]:
    """Whatever the database makes nothing of came with it."""
    try:
        yield
    except DataError as error:
        if not given.cursor:
            raise
        raise Refusal("invalid", "This cursor is not one of this list.", field="cursor") from error


def check_things(queries: Queries, query: Query, values: Mapping[str, Any]) -> None:
    """Refusal ``not_found`` of what is asked about and was not in the book then. Whenever it takes effect: else the
    answer to what is fixed would change with the clock."""
    asked = {name: cls.stream_of(values[name]) for name, cls in query.things.items() if values[name]}
    begun = queries.begun(asked.values(), values["known_at"]) if asked else ()
    for name, stream in asked.items():
        if stream not in begun:
            raise not_found(name, values[name])


def has_written(queries: Queries, projection: str, min_position: int | None) -> None:
    """Refusal ``behind`` unless the projection has what was committed at the position."""
    if min_position and not queries.has(projection, min_position):
        raise queries.progress(projection).behind(min_position, min_position=min_position)


def known_position(queries: Queries, given: Parameters) -> int | None:
    known_at = given.known_at
    return queries.position_at(known_at) if isinstance(known_at, datetime) else known_at


def values_of(queries: Queries, ledger: Ledger, given: Parameters) -> dict[str, Any]:
    """What the SQL may use: the parameters as given, and what follows from them."""
    moment, on = moment_of(queries, ledger, given.as_of)
    asked = given.until(on) if isinstance(given, Period) else given
    return asked.model_dump() | {
        "as_of": moment if given.as_of else None,
        "moment": moment,
        "on": on,
        "known_at": known_position(queries, given),
        "time_zone": ledger.time_zone,
        "book_currency": ledger.book_currency,
    }


def moment_of(queries: Queries, ledger: Ledger, as_of: AsOf | None) -> tuple[datetime, date]:
    """As of when, and on which day that is."""
    if as_of is None or isinstance(as_of, datetime):
        moment = as_of or queries.now()
        return moment, queries.day_of(moment, ledger.time_zone)
    return queries.end_of(as_of, ledger.time_zone), as_of


def meta_of(values: Mapping[str, Any], given: Parameters, progress: Progress) -> dict[str, Any]:
    """Refusal ``behind`` unless the projection has all that was known then: the same question would later be answered
    otherwise."""
    known_at = progress.position if values["known_at"] is None else min(values["known_at"], progress.log_size)
    if known_at > progress.position:
        raise progress.behind(known_at, known_at=known_at)
    return {
        "as_of": given.as_of or values["moment"],
        "known_at": known_at,
        "log_size": progress.log_size,
        "behind": max(0, progress.log_size - progress.position),
        "projection": progress.projection,
        "version": progress.version,
        "quarantined": progress.quarantined,
    }


def write_cursor(keys: Sequence[object]) -> str:
    texts = ["" if key is None else key.isoformat() if isinstance(key, datetime) else str(key) for key in keys]
    return base64.urlsafe_b64encode(dumps(texts)).decode()


def read_cursor(cursor: str, length: int) -> list[str]:
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(cursor))
        if (
            isinstance(keys, list)
            and len(keys) == length
            and all(isinstance(key, str) and "\0" not in key for key in keys)
        ):
            return keys
    except (binascii.Error, ValueError):
        pass
    raise Refusal("invalid", "This cursor is not one of this list.", field="cursor")
