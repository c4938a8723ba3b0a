"""Queries on books whose events tell of clients and products that nobody has registered."""

from collections.abc import Iterable

from infra.postgres.queries import Queries


class Unregistered(Queries):
    def begun(self, streams: Iterable[str], known_at: int | None) -> frozenset[str]:  # noqa: ARG002
        return frozenset(streams)
