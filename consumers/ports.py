"""What consumers need of the outside: a feed of events, and read models that remember how far they are."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from projections.projection import Projection
from projections.shapes import Row, Shape


class Delivered(NamedTuple):
    """An event as a feed delivers it: in order of position, payload and times as text."""

    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    effective_at: str
    recorded_at: str
    payload: str


class Feed(Protocol):
    def read(self, after: int, upto: int, types: Sequence[str]) -> Sequence[Delivered]:
        """The events of these types at positions after+1 … upto, ascending."""

    def end(self) -> int:
        """The last position there is."""


Placed = tuple[Delivered, int, Row]
"""A row, the event it comes from, and its number among that event's rows."""


class Overtaken(Exception):
    """Another process has moved this projection meanwhile; nothing was written."""


class ReadModels(Protocol):
    def position(self, projection: Projection) -> int:
        """How far it is; 0 for a new one."""

    def write(self, projection: Projection, after: int, upto: int, rows: Mapping[Shape, Sequence[Placed]]) -> None:
        """Write rows and progress in one transaction; Overtaken unless it stands at ``after``."""

    def reset(self, projection: Projection) -> None:
        """Drop what it has, and begin at 0."""
