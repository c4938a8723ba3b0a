"""Explains a figure: which cell of which answer it is, and what each event contributed to it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from psycopg2 import DataError
from pydantic import ValidationError

from api.querying import HOLDING, check_things, has_written, meta_of, read_cursor, values_of, write_cursor
from api.refusing import invalid
from domain.refusal import Refusal
from infra.postgres.contributions import Contributions, Place
from infra.postgres.migrate import Ledger
from infra.postgres.queries import SIZES, Answering, Queries, narrowed
from projections import QUERIES
from projections.explanation import Cell, Explanation
from projections.query import Parameters, Query

NOT_OF_A_FIGURE = ("format", "cursor", "limit")
"""They tell how a list is shown, and a figure is looked for in the whole of it."""


TOLD = 200
"""Cells that are named to who asked for none of them; a statement may have many entries."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An answer, or a row of one: ``narrowing`` tells by which of its keys, None being none."""

    query: Query
    explanation: Explanation
    given: Parameters
    narrowing: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Explained:
    """``parts`` are told of a number that is no sum. A fact of a card is no number, whatever it looks like."""

    value: object
    is_number: bool
    parts: Mapping[str, Any] | None
    items: Sequence[Mapping[str, Any]]
    next: str | None
    meta: Mapping[str, Any]

    @property
    def total(self) -> Any:
        return sum((item["contribution"] for item in self.items), 0)

    @property
    def adds_up(self) -> bool:
        """Whether all contributions, if this is the only page, make the value; what is no sum cannot fail."""
        return not self.is_number or self.parts is not None or self.total == (self.value or 0)

    @property
    def body(self) -> Mapping[str, Any]:
        parts = {} if self.parts is None else {"parts": self.parts}
        return {"value": self.value, **parts, "items": self.items, "next": self.next, "meta": self.meta}

    @property
    def columns(self) -> tuple[str, ...]:
        event = ("position", "type", "stream", "effective_at", "recorded_at", "actor")
        return (*event, "part", "contribution") if self.parts is not None else (*event, "contribution")


def read_figure(address: str) -> Figure:
    """The figure at the address of a query. Its parameters may also name keys of a row, so that one row remains; an
    empty one stands for none. Refusal ``invalid``."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise Refusal("invalid", f"figure: {error}", field="figure") from error
    query, in_path = _query_at(parts.path)
    if not isinstance(query.explained_by, Explanation):
        message = f"figure: {query.path} is not explained: {query.explained_by}."
        raise Refusal("invalid", message, field="figure", explained=_explained())
    asked = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **in_path}
    if with_nul := [name for name, text in asked.items() if "\0" in text]:
        raise Refusal("invalid", f"figure: {with_nul[0]}: no text has a NUL", field="figure")
    own = {field.alias or name for name, field in query.parameters.model_fields.items()}
    narrowing = {
        name: text or None
        for name, text in asked.items()
        if name in query.explained_by.keys and (name not in own or not text)
    }
    told = {name: text for name, text in asked.items() if name not in narrowing and name not in NOT_OF_A_FIGURE}
    try:
        return Figure(query, query.explained_by, query.parameters.model_validate(told), narrowing)
    except ValidationError as error:
        refusal = invalid(error)
        raise Refusal("invalid", f"figure: {refusal.message}", field="figure", **refusal.facts) from error


def _query_at(path: str) -> tuple[Query, Mapping[str, str]]:
    """The first that fits, as routes are found, with what its path names."""
    for query in QUERIES:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", query.path)
        if found := re.fullmatch(pattern, path):
            return query, {name: unquote(text) for name, text in found.groupdict().items()}
    raise Refusal("invalid", f"figure: there is no query at {path}.", field="figure", explained=_explained())


def _explained() -> list[str]:
    return [query.path for query in QUERIES if isinstance(query.explained_by, Explanation)]


def explain(
    queries: Queries, ledger: Ledger, figure: Figure, name: str, cursor: str | None = None, limit: int | None = None
) -> Explained | None:
    """The cell of this name, and what events contributed to it, all of one moment. None if there is no such answer.
    Refusal ``invalid`` if there is not one row, or no such cell; others as of a query."""
    after = _place(cursor) if cursor else None
    has_written(queries, figure.query.projection, figure.given.min_position)
    values = values_of(queries, ledger, figure.given)
    check_things(queries, figure.query, values)
    with queries.moment(HOLDING[figure.query.projection]) as answering:
        meta = meta_of(values, figure.given, answering.progress(figure.query.projection))
        answer = _answer(answering, figure, values)
        if answer is None:
            return None
        cell = _cell(figure.explanation.cells(answer), name)
        parts = figure.explanation.parts(cell.figure)
        apart = figure.explanation.apart.get(cell.figure)
        asked = Contributions(figure.query, cell, parts, values, figure.explanation.adds_up, apart)
        items = asked.page(answering, after, None if limit is None else limit + 1)
        sums = None if asked.is_sum or not asked.adds_up else asked.sums(answering)
    next = None
    if limit is not None and items and (len(items) > limit or items[-1]["goes_on"]):
        items = items[:limit]
        next = write_cursor([items[-1]["position"], items[-1]["part"]])
    left_out = ("part", *SIZES) if sums is None else SIZES
    shown = [{name: cell for name, cell in item.items() if name not in left_out} for item in items]
    return Explained(cell.value, asked.adds_up, sums, shown, next, meta)


def _place(cursor: str) -> Place:
    position, part = read_cursor(cursor, 2)
    if not (position.isascii() and position.isdigit() and len(position) < 19):
        raise Refusal("invalid", "This cursor is not one of this list.", field="cursor")
    return int(position), part


def _answer(answering: Answering, figure: Figure, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """That which is asked about: the answer, or the one row that is left of it."""
    query = figure.query
    if query.assemble:
        body = query.assemble(answering.rows(query.text, values), values)
        if body is None:
            return None
        groups = body.get("groups", [body])
        if groups and (unknown := figure.narrowing.keys() - groups[0].keys()):
            message = f"figure: {', '.join(sorted(unknown))} tells nothing apart in it; group by it."
            raise Refusal("invalid", message, field="figure")
        rows = [row for row in groups if all(row[name] == cell for name, cell in figure.narrowing.items())]
        return _only(figure, rows, len(rows))
    try:
        found = answering.rows(narrowed(query.text, figure.narrowing), {**values, **figure.narrowing})
    except DataError as error:
        raise Refusal("invalid", f"figure: {str(error).splitlines()[0]}", field="figure") from error
    return _only(figure, found, found[0]["rows_found"] if found else 0)


def _only(figure: Figure, rows: Sequence[Mapping[str, Any]], found: int) -> Mapping[str, Any]:
    if found == 1:
        return rows[0]
    narrow_by = [key for key in figure.explanation.keys if len({row.get(key) for row in rows}) > 1]
    by = f"; {', '.join(narrow_by)} would narrow it" if narrow_by else ""
    message = f"figure: one row is wanted, and there are {found or 'none'}{by}."
    raise Refusal("invalid", message, field="figure", rows=found, narrow_by=narrow_by)


def _cell(cells: Mapping[str, Cell], name: str) -> Cell:
    if name not in cells:
        by_depth = sorted(cells, key=lambda name: name.count("."))
        there = ", ".join([*by_depth[:TOLD], *(["…"] if len(cells) > TOLD else [])])
        message = f"cell: no figure is called {name}; there are {there}."
        raise Refusal("invalid", message, field="cell", cells=by_depth[:TOLD])
    return cells[name]
