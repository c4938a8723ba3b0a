"""Moves a read model from one number of partitions to another: all that it follows are brought to one position from the
store, and from there any number of partitions goes on."""

from collections.abc import Callable
from typing import Protocol

from consumers.ports import Feed, Overtaken, ReadModels
from consumers.projector import Projector
from projections.projection import Projection


class Spreadable(ReadModels, Protocol):
    def agrees(self, projection: Projection) -> None:
        """Ahead if it, or what is read of it meanwhile, has what the book has not."""

    def partitions(self, projection: Projection) -> int:
        """How many it follows."""

    def furthest(self, projection: Projection) -> int:
        """Beyond here it has nothing."""

    def is_filling(self, projection: Projection) -> bool:
        """A generation of its own version, beside the one that is read."""

    def is_being_rebuilt(self, projection: Projection) -> bool:
        """A rebuild has what we are filling."""

    def spread(self, projection: Projection, partitions: int) -> None:
        """Follow so many from now on. Overtaken unless all that it follows now stand at one position."""


def spread(
    projection: Projection, partitions: int, read_models: Spreadable, store: Callable[[Projection, int], Feed]
) -> None:
    """Whoever follows it by the old number is overtaken, and told that it has moved. Ahead if the book does not have
    where it is."""
    while (now := read_models.partitions(projection)) != partitions:
        projector = Projector(projection, store(projection, now), read_models, now)
        projector.catch_up(read_models.furthest(projection))
        try:
            read_models.spread(projection, partitions)
        except Overtaken:
            continue
