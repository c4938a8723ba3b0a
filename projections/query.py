"""A query: what may be asked at a path, the SQL that answers, and the form of the answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from domain.aggregate import Aggregate
from domain.clients import Client
from domain.pipelines import Pipeline
from domain.products import Product
from domain.values import Day, Moment, in_words, spelt
from domain.warehouses import Warehouse
from projections.explanation import Explanation

SQL = Path(__file__).with_name("sql")

AsOf = Annotated[
    Moment | Day,
    Field(union_mode="left_to_right"),
    in_words("a date (YYYY-MM-DD) or a time with its offset (RFC 3339)"),
]
KnownAt = Annotated[
    Annotated[int, Field(ge=0, le=2**62)] | Moment,
    Field(union_mode="left_to_right"),
    in_words("a position or a time with its offset (RFC 3339)"),
]
Cursor = Annotated[
    str, Field(max_length=10_000), spelt(r"^[A-Za-z0-9_=-]*$", "a cursor is what `next` was in the page before")
]
"""As wide as any keys make it (tests/unit/test_cursors.py)."""

WAIT = (
    "How long to wait for min_position, 2,000 unless told; without one for all that this server had booked when it was"
    " asked, 250 unless told, and then answer with what there is"
)

Result = Mapping[str, Any]

THINGS: Mapping[str, type[Aggregate]] = {each.kind: each for each in (Client, Pipeline, Product, Warehouse)}


class Parameters(BaseModel):
    """What every query takes."""

    model_config = ConfigDict(extra="forbid")

    as_of: Annotated[AsOf | None, Field(description="A date (to the end of that day) or a time; default: now")] = None
    known_at: Annotated[KnownAt | None, Field(description="A position or a time: as it was known then")] = None
    min_position: Annotated[int | None, Field(ge=0, le=2**62, description="Wait until this position is seen")] = None
    wait_ms: Annotated[int | None, Field(ge=0, le=30_000, description=WAIT)] = None


def comma_separated(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


class Period(BaseModel):
    """For parameters of figures from one day to another. A period ends at ``as_of``, if that is earlier."""

    from_: Annotated[Day, Field(alias="from", description="First day")]
    to: Annotated[Day, Field(description="Last day, included")]

    @field_validator("to")
    @classmethod
    def _in_order(cls, last: date, info: ValidationInfo) -> date:
        if (first := info.data.get("from_")) and last < first:
            raise ValueError("must not be before from")
        return last

    def until(self, day: date) -> Self:
        """Or to its last day, if that is earlier. A period that has not begun by then has no day."""
        return self.model_copy(update={"to": min(self.to, day)})


class ListParameters(Parameters):
    cursor: Annotated[Cursor | None, Field(description="`next` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=100_000)] = 100


Assemble = Callable[[Sequence[Result], Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True, eq=False)
class Query:
    """``order`` names the columns of a list's rows that order them uniquely, and by which pages continue.

    ``assemble`` makes an answer that is not a list of the rows, None meaning not found. ``row`` describes a row for the
    documentation. ``names`` go into the SQL where it stands for several tables of one shape. ``explained_by`` tells
    which events are behind its figures, or in words why there is nothing to tell.
    """

    path: str
    projection: str
    sql: str
    parameters: type[Parameters]
    row: type[BaseModel]
    title: str
    order: tuple[str, ...] = ()
    assemble: Assemble | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    explained_by: Explanation | str = "nobody has said yet what its figures are made of"

    @cached_property
    def order_keys(self) -> tuple[str, ...]:
        """The order in SQL; what may be NULL, being grouped away, counts as empty text."""
        fields = self.row.model_fields
        nullable = {name for name in self.order if name in fields and fields[name].annotation == (str | None)}
        return tuple(f"coalesce({name}, '')" if name in nullable else name for name in self.order)

    @cached_property
    def things(self) -> Mapping[str, type[Aggregate]]:
        """Its parameters that name something: what was never in the book is not found, which is not to owe nothing."""
        return {name: THINGS[name] for name in self.parameters.model_fields if name in THINGS}

    @cached_property
    def has_facts(self) -> bool:
        """Whether there is no telling how long its rows are."""
        return any(get_origin(field.annotation) in (dict, list) for field in self.row.model_fields.values())

    @cached_property
    def text(self) -> str:
        return self._filled(self.sql)

    @cached_property
    def pieces(self) -> str:
        """The SQL of its explanation."""
        assert isinstance(self.explained_by, Explanation)
        return self._filled(f"explain/{self.explained_by.sql or self.sql}")

    def _filled(self, sql: str) -> str:
        text = (SQL / f"{sql}.sql").read_text(encoding="utf-8")
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text
