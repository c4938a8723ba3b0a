"""The three shapes of read models. A projection declares shapes, and pure functions from an event to their rows.

Every shape keeps a log of rows, each with the position and both times of its event; what is faster to read is folded
from the log in the same transaction (infra/postgres/shapes). So ``as_of`` and ``known_at`` work on all of them.

A row is a tuple in the order of the shape's columns; ``row`` makes one by name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeVar

from domain.event import Event

Cell = str | int | Decimal | date | None
Row = tuple[Cell, ...]
Rows = Row | Iterable[Row]
Type = Literal["text", "date", "numeric", "integer", "boolean", "jsonb"]

F = TypeVar("F", bound=Callable[[Any], Rows])


@dataclass(slots=True, eq=False)
class Shape:
    """``name`` is that of the table; ``columns`` are those of its log, beside the event's position, times and type."""

    name: str
    handlers: dict[str, Callable[[Any], Rows]] = field(default_factory=dict, init=False)

    @property
    def columns(self) -> dict[str, Type]:
        raise NotImplementedError

    def on(self, *events: type[Event]) -> Callable[[F], F]:
        """What the function makes of these events."""

        def declare(function: F) -> F:
            self.handlers.update(dict.fromkeys((event.type for event in events), function))
            return function

        return declare

    def row(self, **cells: Cell) -> Row:
        if unknown := cells.keys() - self.columns.keys():
            raise TypeError(f"{self.name} has no columns {', '.join(sorted(unknown))}")
        return tuple(cells.get(column) for column in self.columns)


@dataclass(slots=True, eq=False)
class Register(Shape):
    """Signed movements of resources over dimensions, after 1C's accumulation registers.

    Balance at a date = turnovers of whole months + movements of the last one. ``details`` are kept with a movement and
    not added up by.
    """

    dimensions: dict[str, Type]
    resources: tuple[str, ...]
    details: dict[str, Type] = field(default_factory=dict)
    _columns: dict[str, Type] = field(init=False)

    def __post_init__(self) -> None:
        self._columns = {**self.dimensions, **dict.fromkeys(self.resources, "numeric"), **self.details}

    @property
    def columns(self) -> dict[str, Type]:
        return self._columns

    def move(self, **cells: Cell) -> Row:
        """A row by name; a resource that is not named does not move."""
        return self.row(**{**dict.fromkeys(self.resources, Decimal(0)), **cells})


@dataclass(slots=True, eq=False)
class History(Shape):
    """A subject's states in order of (effective time, position): each holds until the next one."""

    subject: str
    states: dict[str, Type]
    _columns: dict[str, Type] = field(init=False)

    def __post_init__(self) -> None:
        self._columns = {self.subject: "text", **self.states}

    @property
    def columns(self) -> dict[str, Type]:
        return self._columns

    enter = Shape.row


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as a column for analysts: its type, and what it means to them.

    It stands in a card under its own name, or as ``path`` says; or it is made of all ``pieces``, which stand each by
    itself: those of ``contacts`` are ``contacts.email``, ``contacts.phone``.
    """

    type: Type
    meaning: str
    path: tuple[str, ...] = ()
    pieces: str = ""


@dataclass(slots=True, eq=False)
class Card(Shape):
    """The latest facts of one thing: each row is a patch of them, a fact left out stays as it was. Those that are
    declared are columns of a view, which is named by its plural."""

    key: str
    facts: dict[str, Fact] = field(default_factory=dict)

    def named_facts(self) -> Iterable[tuple[str, Fact]]:
        """Each with where it stands."""
        return [(name, replace(fact, path=fact.path or (name,))) for name, fact in self.facts.items()]

    @property
    def columns(self) -> dict[str, Type]:
        return {"key": "text", "patch": "jsonb"}
