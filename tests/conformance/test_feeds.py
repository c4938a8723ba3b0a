"""The store's own feed."""

from collections.abc import Iterator, Sequence

import pytest

from consumers.ports import Feed, Places
from infra.postgres.connection import Database, Pool
from infra.postgres.feed import StoreFeed
from infra.postgres.writer import Writer
from tests.conformance.feeds import TYPE, FeedBehaviour, Feeds


class StoreFeeds(Feeds):
    def __init__(self, database: Database, writer: Writer, partitions: int, pool: Pool) -> None:
        super().__init__(database, writer, partitions)
        self._pool = pool

    def open(self, places: Places, *, types: Sequence[str] = (TYPE,), group: str = "one") -> Feed:  # noqa: ARG002
        return StoreFeed(self._pool, types, self.partitions, places)

    def carry(self) -> None:
        """It is the book itself."""


class TestStoreFeed(FeedBehaviour):
    @pytest.fixture(params=[1, 12])
    def feeds(self, database: Database, pool: Pool, request: pytest.FixtureRequest) -> Iterator[Feeds]:
        writer = Writer(database)
        yield StoreFeeds(database, writer, request.param, pool)
        writer.close()
