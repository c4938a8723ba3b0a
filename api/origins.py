"""Where a rebuild takes the events from: the store, or the ledger's topic."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from consumers.ports import Feed
from consumers.rebuild import PARTITIONS
from infra.postgres.connection import Pool
from infra.postgres.feed import StoreFeed
from infra.postgres.generations import Generation
from infra.postgres.read_models import PostgresReadModels

Share = Callable[[], Collection[int]]
"""Which of the partitions are a process's. They may become fewer while it is at it."""


class Origin(Protocol):
    """Is handed to processes."""

    @property
    def ends(self) -> Mapping[int, int]:
        """Of each partition, the position to get to."""

    def feed(self, pool: Pool, read_models: PostgresReadModels, new: Generation, share: Share, /) -> Feed:
        """What is missing in a generation, for a process whose ``share`` it is."""


@dataclass(frozen=True, slots=True)
class FromStore:
    """To the position ``end``."""

    end: int

    @property
    def ends(self) -> Mapping[int, int]:
        return dict.fromkeys(range(PARTITIONS), self.end)

    def feed(self, pool: Pool, read_models: PostgresReadModels, new: Generation, share: Share, /) -> Feed:
        places = partial(read_models.places, new.projection, PARTITIONS)
        return StoreFeed(pool, new.projection.types, PARTITIONS, places, only=share, last=self.end)
