"""The persistence module for applications of the eventsourcing library: ``PERSISTENCE_MODULE=infra.postgres.factory``.

``DATABASE_URL`` says where, and the application's name which ledger: one application, one schema.
"""

import re
from typing import TypeVar

from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment, EnvType, resolve_topic, strtobool

from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import migrate
from infra.postgres.recorders import (
    AggregateRecorder,
    ApplicationRecorder,
    ProcessRecorder,
    SnapshotRecorder,
    TrackingRecorder,
)
from infra.postgres.writer import Writer

R = TypeVar("R")


class Factory(InfrastructureFactory[TrackingRecorder]):
    """Its recorders share a writer and a pool of connections, which are closed with it."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        dsn = self.env.get("DATABASE_URL")
        if not dsn:
            raise OSError("DATABASE_URL is not set")
        self.database = Database(dsn, schema_of(self.env.name))
        if strtobool(self.env.get("CREATE_TABLE") or "yes"):
            migrate(self.database)
        self._pool = Pool(self.database)
        self._writer = Writer(self.database)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder | SnapshotRecorder:
        if purpose == "snapshots":
            return SnapshotRecorder(self._pool)
        return AggregateRecorder(self._pool, self._writer)

    def application_recorder(self) -> ApplicationRecorder:
        return self._resolve(self.APPLICATION_RECORDER_TOPIC, ApplicationRecorder)(self._pool, self._writer)

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> TrackingRecorder:
        cls = tracking_recorder_class or self._resolve(self.TRACKING_RECORDER_TOPIC, TrackingRecorder)
        return cls(self._pool)

    def process_recorder(self) -> ProcessRecorder:
        return self._resolve(self.PROCESS_RECORDER_TOPIC, ProcessRecorder)(self._pool, self._writer)

    def close(self) -> None:
        self._writer.close()
        self._pool.close()

    def _resolve(self, topic: str, default: type[R]) -> type[R]:
        """The class that the environment names, or ours."""
        named = self.env.get(topic)
        cls = resolve_topic(named) if named else default
        assert issubclass(cls, default)
        return cls


def schema_of(application: str) -> str:
    """A name for the ledger of an application: ``BankAccounts`` has its events in ``bankaccounts``."""
    return re.sub(r"^[^a-z]+|[^a-z0-9_]", "", application.lower())[:40] or "grossbuch"
