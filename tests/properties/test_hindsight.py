"""What differs between what was known at two positions is what plain folds make differ, in every table there is."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.refusal import Refusal
from infra.postgres.connection import Pool
from infra.postgres.hindsight import Changed, changes
from infra.postgres.queries import Queries
from infra.postgres.shape_sql import log_table
from projections import PROJECTIONS
from projections.shapes import Card, History, Register, Shape
from tests.properties.books import Books
from tests.properties.folds import cards, logs
from tests.properties.histories import Step, histories, lawful, moments, placed

Cells = Mapping[tuple[Any, ...], Any]
"""A figure by table, cell and name; of a history a row by its subject, times and type."""


def cells(shape: Shape, rows: Sequence[tuple[Any, ...]]) -> Cells:
    found: dict[tuple[Any, ...], Any] = {}
    for row in sorted(rows, key=lambda row: (row[2], row[0], row[1])):
        match shape:
            case Register():
                for resource, amount in zip(shape.resources, row[5 + len(shape.dimensions) :], strict=False):
                    key = shape.name, *map(plain, row[5 : 5 + len(shape.dimensions)]), resource
                    found[key] = found.get(key, Decimal(0)) + amount
            case History():
                key = shape.name, row[5], row[2], row[0], row[4]
                found[key] = {state: text(said) for state, said in zip(shape.states, row[6:], strict=True)}
    if isinstance(shape, Card):
        for key, (facts, *_) in cards(rows).items():
            found |= {(shape.name, key, fact): said for fact, said in facts.items()}
    return found


def plain(cell: Any) -> Any:
    return str(cell) if isinstance(cell, date) else cell


def text(said: Any) -> str | None:
    return None if said is None else format(said, "f") if isinstance(said, Decimal) else str(said)


def place(each: Changed) -> tuple[Any, ...]:
    named = {name: datetime.fromisoformat(str(at)) if name == "effective_at" else at for name, at in each.cell.items()}
    return each.table, *named.values(), each.figure


def says(told: Any, figure: Any) -> bool:
    match figure:
        case Decimal():
            return told is not None and Decimal(told) == figure
        case None | str():
            return bool(told == figure)
    return bool((json.loads(told) if isinstance(told, str) else told) == figure)


@given(
    steps=histories.map(lawful),
    before=st.integers(0, 25),
    after=st.integers(0, 25),
    moment=moments,
)
def test_all_cells_that_differ_are_told_and_no_others(
    books: Books, pool: Pool, steps: list[Step], before: int, after: int, moment: datetime
) -> None:
    before, after = min(before, len(steps)), min(after, len(steps))
    books.wipe()
    books.project(placed(steps))
    told = {place(each): (each.was, each.is_) for each in changes(Queries(pool), PROJECTIONS, before, after, moment)}
    tables = logs(steps)
    expected: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    for shape in (shape for projection in PROJECTIONS for shape in projection.shapes):
        rows = [row for row in tables.get(log_table(shape), []) if row[2] <= moment]
        was, is_ = (cells(shape, [row for row in rows if row[0] <= known]) for known in (before, after))
        nothing = Decimal(0) if isinstance(shape, Register) else None
        pairs = {key: (was.get(key, nothing), is_.get(key, nothing)) for key in was.keys() | is_.keys()}
        expected |= {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
    assert told.keys() == expected.keys()
    for key, pair in expected.items():
        assert says(told[key][0], pair[0])
        assert says(told[key][1], pair[1])


@pytest.mark.usefixtures("books")
def test_what_is_not_yet_in_a_read_model_is_not_compared(pool: Pool) -> None:
    with pytest.raises(Refusal) as refused:
        list(changes(Queries(pool), PROJECTIONS, 0, 1, datetime.fromisoformat("2026-01-01T00:00:00Z")))
    assert refused.value.code == "behind"
