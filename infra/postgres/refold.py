"""Whether the logs of a projection are what comes out of the events: these are folded once more, a window of positions
after the other and in memory only, and held against the rows that are there. To the logs the other invariants hold what
is kept of them (checks.py).

Each window is read in a snapshot of its own, so nobody waits for the whole: swaps take place between two windows, and
VACUUM goes on. A window is right or wrong by itself, whatever is written meanwhile (tests/integration/test_refold.py).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from time import perf_counter
from typing import Any

from orjson import OPT_SORT_KEYS, dumps, loads
from psycopg2.extensions import cursor as Cursor

from consumers.ports import WINDOW, Delivered, Placed, Unacceptable
from consumers.projector import fold
from infra.partitions import partition_of
from infra.postgres.checks import Checked, Checks, Report, Violation
from infra.postgres.connection import read_sql
from infra.postgres.feed import READ
from infra.postgres.shape_sql import log_table
from projections.projection import Projection
from projections.shapes import Card, Cell, Register, Shape, Type

SQL = Path(__file__).with_name("sql")
ROWS = read_sql(SQL / "rows_between.sql")
DETACHED = read_sql(SQL / "months" / "passed_over.sql")
PLACES = """
SELECT p.version, t.position FROM projection p JOIN tracking t ON t.consumer = p.name
 WHERE p.name = %s ORDER BY t.partition
"""
PARKED = "SELECT stream, version FROM quarantine WHERE projection = %s"

INVARIANT = "rebuilt"
UNFIT = (Unacceptable, ValueError, ArithmeticError)
"""What comes out is no row."""
MEANING = "Every row of a log is what comes out of the events, and none is missing."

Told = tuple[Any, ...]
"""A row: position, line, and all the rest as text."""


@dataclass(frozen=True, slots=True)
class Window:
    """The events that the projection must have taken, and the rows that it has; of each shape the positions that are
    not looked at."""

    events: Sequence[Delivered]
    rows: Mapping[Shape, Sequence[Told]]
    passed_over: Mapping[Shape, Collection[int]]


def refold(
    checks: Checks, projection: Projection, most: int, between: Callable[[int, float], object] = lambda *_: None
) -> Report:
    """The first ``most`` violations. ``between`` is told after each window how many positions it passed and in what
    time, while nothing is held. Nothing is checked of a projection that another version of the code has filled."""
    after, end, seconds = 0, 1, 0.0
    violated, told = 0, list[Violation]()
    while after < end:
        started = perf_counter()
        with checks.snapshot(projection) as cursor:
            at = _places(cursor, projection)
            if not at:
                return Report(projection.name, after, [], seconds)
            end = end if after else max(at)
            upto = min(after + WINDOW, end)
            window = _window(cursor, projection, at, after, upto)
        wrong = list(_wrong(projection, window))
        violated += len(wrong)
        told += wrong[: most - len(told)]
        took = perf_counter() - started
        seconds += took
        between(upto - after, took)
        after = upto
    return Report(projection.name, end, [Checked(INVARIANT, MEANING, violated, told)], seconds)


def _places(cursor: Cursor, projection: Projection) -> Sequence[int]:
    """How far it is in each partition; nothing if another version of it is read."""
    cursor.execute(PLACES, (projection.name,))
    return [position for version, position in cursor.fetchall() if version == projection.version]


def _window(cursor: Cursor, projection: Projection, at: Sequence[int], after: int, upto: int) -> Window:
    given = {"after": after, "upto": upto}
    rows, passed_over = dict[Shape, Sequence[Told]](), dict[Shape, Collection[int]]()
    for shape in projection.shapes:
        columns = ", ".join(f"{column}::text" for column in shape.columns)
        cursor.execute(ROWS.format(columns=columns, log=log_table(shape)), given)
        rows[shape] = cursor.fetchall()
        passed_over[shape] = ()
        if isinstance(shape, Register):
            cursor.execute(DETACHED.format(name=shape.name), given)
            passed_over[shape] = {position for (position,) in cursor.fetchall()}
    return Window(_taken(cursor, projection, at, after, upto), rows, passed_over)


def _taken(cursor: Cursor, projection: Projection, at: Sequence[int], after: int, upto: int) -> Sequence[Delivered]:
    """In each partition up to where it is, of a parked stream up to where it waits."""
    cursor.execute(PARKED, (projection.name,))
    parked: dict[str, int] = dict(cursor.fetchall())
    cursor.execute(READ, (after, upto, projection.types))
    events = [Delivered._make(row) for row in cursor.fetchall()]
    if parked:
        events = [event for event in events if event.version < parked.get(event.stream, event.version + 1)]
    if upto > min(at):
        events = [event for event in events if event.position <= at[partition_of(event.order_key, len(at))]]
    return events


def _wrong(projection: Projection, window: Window) -> Iterator[Violation]:
    folded, refused = _folded(projection, window.events)
    for event, error in refused:
        cell = {"stream": event.stream, "position": event.position}
        yield Violation(projection.name, INVARIANT, cell, "event", str(error), "taken or parked", [event.position])
    unfit = {event.position for event, _ in refused}
    for shape in projection.shapes:
        passed_over = unfit.union(window.passed_over[shape])
        found = _but(passed_over, _by_value(shape, window.rows[shape]))
        expected = _but(passed_over, folded[shape])
        for position, line, is_, must_be in _differing(found, expected):
            cell = {"table": log_table(shape), "position": position, "line": line}
            yield Violation(projection.name, INVARIANT, cell, "row", is_, must_be, [position])


def _folded(
    projection: Projection, events: Sequence[Delivered]
) -> tuple[Mapping[Shape, Sequence[Told]], Sequence[tuple[Delivered, Exception]]]:
    """The rows that come out, and the events that cannot be taken, each with the reason."""
    try:
        return {shape: _as_text(shape, rows) for shape, rows in fold(projection, events).items()}, []
    except UNFIT as error:
        if len(events) == 1:
            return {shape: [] for shape in projection.shapes}, [(events[0], error)]
    each = [_folded(projection, [event]) for event in events]
    rows = {shape: [row for its, _ in each for row in its[shape]] for shape in projection.shapes}
    return rows, [refused for _, its in each for refused in its]


def _as_text(shape: Shape, placed: Sequence[Placed]) -> Sequence[Told]:
    """As the database says them, so that 10 is not 10.00: what is answered has as many places."""
    said = [AS_TEXT[type] for type in shape.columns.values()]
    return [
        (
            *(event.position, line, event.effective_at, event.recorded_at, event.type),
            *[None if cell is None else say(cell) for say, cell in zip(said, row, strict=True)],
        )
        for event, line, row in placed
    ]


def _number(cell: Cell) -> str:
    """Without exponent, and nothing without sign."""
    number = cell if isinstance(cell, Decimal) else Decimal(str(cell))
    return f"{number or number.copy_abs():f}"


def _patch(cell: Cell) -> str:
    """There is no order in an object: the same one whatever order it is written in."""
    return dumps(loads(str(cell)), option=OPT_SORT_KEYS).decode()


AS_TEXT: Mapping[Type, Callable[[Cell], str]] = {
    "text": str,
    "date": str,
    "integer": str,
    "numeric": _number,
    "jsonb": _patch,
}


def _by_value(shape: Shape, rows: Sequence[Told]) -> Sequence[Told]:
    """What the database says of a patch, in the order that ours are in."""
    if not isinstance(shape, Card):
        return rows
    return [(*row, patch and _patch(patch)) for *row, patch in rows]


def _but(passed_over: Collection[int], rows: Sequence[Told]) -> Sequence[Told]:
    return [row for row in rows if row[0] not in passed_over] if passed_over else rows


def _differing(found: Sequence[Told], expected: Sequence[Told]) -> Iterator[tuple[int, int, str | None, str | None]]:
    """Position, line, what is there and what must be; rows of one place are told beside each other."""
    if found == expected:
        return
    places: dict[Told, tuple[list[Told], list[Told]]] = defaultdict(lambda: ([], []))
    are, must_be = Counter(found), Counter(expected)
    for side, rows in enumerate((are - must_be, must_be - are)):
        for row in rows.elements():
            places[row[:2]][side].append(row)
    for (position, line), sides in sorted(places.items()):
        for is_, must in zip_longest(*sides):
            yield position, line, _said(is_), _said(must)


def _said(row: Told | None) -> str | None:
    return None if row is None else f"({', '.join('–' if cell is None else cell for cell in row[2:])})"
