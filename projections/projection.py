"""A projection: shapes that move together, under one name, one version and one record of progress."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.event import Event
from projections.shapes import Rows, Shape


@dataclass(frozen=True, slots=True)
class Projection:
    """Raise ``version`` when what it makes of events changes: it is then rebuilt at the next start."""

    name: str
    version: int
    shapes: tuple[Shape, ...]

    @property
    def types(self) -> list[str]:
        """The event types that it takes; all others it passes by."""
        return sorted({type for shape in self.shapes for type in shape.handlers})

    def handlers(self, type: str) -> list[tuple[Shape, Callable[[Event], Rows]]]:
        return [(shape, shape.handlers[type]) for shape in self.shapes if type in shape.handlers]
