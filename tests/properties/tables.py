"""What the tables do hold, in the form of folds.py; and that it is what it must be."""

from collections.abc import Mapping, Sequence
from typing import Any

from projections import PROJECTIONS
from projections.projection import Projection
from projections.shapes import Card, Register, Shape
from tests.properties import folds
from tests.properties.books import Books, log_table
from tests.properties.histories import Step

Logs = Mapping[str, list[tuple[Any, ...]]]
"""The rows of each log table."""


def check(books: Books, steps: Sequence[Step], *projections: Projection) -> None:
    """Every table of these projections, or of all, holds what plain folds make of the steps."""
    check_tables(books, folds.logs(steps), len(steps), projections or PROJECTIONS)


def check_tables(books: Books, logs: Logs, size: int, projections: Sequence[Projection]) -> None:
    """These projections have all of a book of that size, and their tables hold what comes of these logs."""
    progress = dict(books.rows("SELECT consumer, min(position) FROM tracking GROUP BY consumer"))
    for projection in projections:
        assert progress[projection.name] == size
        for shape in projection.shapes:
            _check_shape(books, shape, logs.get(log_table(shape), []))


def _check_shape(books: Books, shape: Shape, expected: list[tuple[Any, ...]]) -> None:
    columns = ", ".join(["position", "line", "effective_at", "recorded_at", "type", *shape.columns])
    assert books.rows(f"SELECT {columns} FROM {log_table(shape)} ORDER BY position, line") == expected
    match shape:
        case Register():
            width = len(shape.dimensions), len(shape.resources)
            assert as_set(books, f"{shape.name}_turnover") == folds.turnovers(expected, *width)
            assert as_set(books, f"{shape.name}_balance") == folds.balances(expected, *width)
        case Card():
            rows = books.rows(f"SELECT key, facts, effective_at, position FROM {shape.name}")
            assert {key: tuple(rest) for key, *rest in rows} == folds.cards(expected)


def as_set(books: Books, table: str) -> set[tuple[Any, ...]]:
    rows = books.rows(f"SELECT * FROM {table}")
    assert len(set(rows)) == len(rows)
    return set(rows)


def without_positions(books: Books) -> dict[str, list[str]]:
    """The contents of all tables, less what tells in which order it came."""
    hidden = {"position", "recorded_at"}
    contents: dict[str, list[str]] = {}
    for shape in (shape for projection in PROJECTIONS for shape in projection.shapes):
        for table in {log_table(shape), *_sums(shape)}:
            with books.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {table}")
                names = [column.name for column in cursor.description or ()]
                rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            contents[table] = sorted(repr([row[name] for name in names if name not in hidden]) for row in rows)
    return contents


def _sums(shape: Shape) -> list[str]:
    match shape:
        case Register():
            return [f"{shape.name}_turnover", f"{shape.name}_balance"]
        case Card():
            return [shape.name]
    return []
