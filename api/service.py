"""Puts the parts together: a ledger with its bus, its queries and, if wished, what keeps its read models up to date."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from uuid_utils import uuid7

from api.projecting import Projecting, store_projector, topic_of
from commands.bus import Bus
from consumers.projector import Projector
from infra.embedded.server import default_directory, embedded
from infra.health import Health
from infra.postgres.connection import Database, Pool
from infra.postgres.ledger import PostgresLedger
from infra.postgres.migrate import Ledger, migrate
from infra.postgres.queries import Queries
from infra.postgres.read_models import PostgresReadModels
from infra.settings import Settings
from projections import PROJECTIONS
from projections.projection import Projection

__all__ = ["Service", "open_service"]


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    ledger: Ledger
    bus: Bus
    pool: Pool
    queries: Queries
    projectors: tuple[Projector, ...]
    """That read the store; they are turned by hand."""
    projecting: Projecting
    """Not started."""
    health: Health
    """Of what this process has begun."""


@contextmanager
def database(settings: Settings, say: Callable[[str], object] = str) -> Iterator[Database]:
    """The ledger's database, made or brought up to date: DATABASE_URL's, or the embedded one of the data directory."""
    with ExitStack() as stack:
        dsn = settings.database_url
        if dsn is None:
            directory = settings.data or default_directory()
            dsn = stack.enter_context(embedded(directory, bin_dir=settings.bin_dir, say=say))
        found = Database(dsn, settings.ledger)
        migrate(found, book_currency=settings.book_currency, time_zone=settings.time_zone)
        yield found


@contextmanager
def open_service(
    settings: Settings, say: Callable[[str], object] = str, projected: Sequence[Projection] = PROJECTIONS
) -> Iterator[Service]:
    """``projected`` is what is kept up to date once that is started."""
    with ExitStack() as stack:
        found = stack.enter_context(database(settings, say))
        pool = stack.enter_context(Pool(found, settings.connections))
        ledger = Ledger.read(pool)
        time_zone = ZoneInfo(ledger.time_zone)
        read_models = PostgresReadModels(found)
        stack.callback(read_models.close)
        read_models.prepare(PROJECTIONS, topic_of(settings, pool).partitions if settings.kafka_bootstrap else 1)
        projectors = tuple(store_projector(pool, read_models, projection) for projection in PROJECTIONS)
        read_models.close()  # until they are turned
        health = Health()
        projecting = Projecting(settings, found, pool, projected, health)
        stack.callback(projecting.stop)
        store = PostgresLedger(found, pool, time_zone, patience=settings.patience_s)
        stack.callback(store.close)
        bus = Bus(store, lambda: datetime.now(UTC), lambda: str(uuid7()), time_zone)
        yield Service(settings, ledger, bus, pool, Queries(pool), projectors, projecting, health)
