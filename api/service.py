"""Puts the parts together: a ledger with its bus, its queries and, if wished, what keeps its read models up to date."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

import structlog
from uuid_utils import uuid7

from api import book
from api.projecting import Projecting, store_projector, topic_of
from api.readers import Readers
from api.waiting import Waiting
from commands.bus import Bus
from consumers.projector import Projector
from infra.embedded.loopback import Loopback, password
from infra.embedded.server import embedded
from infra.health import Health
from infra.postgres import fitness, head, reader
from infra.postgres.clock import DatabaseClock
from infra.postgres.condition import condition
from infra.postgres.connection import Database, Pool, scalar
from infra.postgres.generations import Generations
from infra.postgres.ledger import PostgresLedger
from infra.postgres.migrate import Ledger, find, is_made, migrate, read_ledger
from infra.postgres.queries import Queries
from infra.postgres.read_models import PostgresReadModels
from infra.settings import Settings
from projections import PROJECTIONS
from projections.projection import Projection

__all__ = ["Opening", "Service", "open_service"]

log = structlog.get_logger(__name__)


class Opening(StrEnum):
    """What may be done to a ledger when it is opened. Who mistypes a name is told, and not given an empty book: one is
    made only where that is what one came for."""

    MIGRATE = "migrate"
    """It is made, or brought up to this release."""
    UPDATE = "update"
    """It is brought up to this release."""
    MAKE = "make"
    """It is made where there is none."""
    FIND = "find"

    @property
    def makes(self) -> bool:
        return self in {Opening.MIGRATE, Opening.MAKE}


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    ledger: Ledger
    bus: Bus
    store: PostgresLedger
    """What the bus writes to."""
    pool: Pool
    """For what works in the background, and for the command line: nobody waits, and nothing ends what takes long."""
    queries: Queries
    readers: Readers
    waiting: Waiting
    projectors: tuple[Projector, ...]
    """That read the store; they are turned by hand."""
    projecting: Projecting
    """Not started."""
    health: Health
    """Of what this process has begun."""


@contextmanager
def database(
    settings: Settings, say: Callable[[str], object] = str, opening: Opening = Opening.MIGRATE
) -> Iterator[Database]:
    """The ledger's: DATABASE_URL's, or the embedded one of the data directory. Unfit, OtherRelease, MigrationError."""
    with ExitStack() as stack:
        dsn, loopback = settings.database_url or "", None
        if directory := book.directory(settings):
            if settings.sql_port:
                loopback = Loopback(settings.sql_port, Database("", settings.ledger).reader)
            server = embedded(directory, bin_dir=settings.bin_dir, loopback=loopback, say=say, make=opening.makes)
            dsn = stack.enter_context(server)
        found = Database(dsn, settings.ledger)
        if opening in {Opening.MAKE, Opening.UPDATE}:
            fitness.check(found, as_maker=False)  # who may not even look is told so
            if is_made(found) == opening.makes:  # what is there is left as it is, or what is not is not made
                opening = Opening.FIND
        fitness.check(found, as_maker=opening is not Opening.FIND)
        if opening is Opening.FIND:
            find(found)
        else:
            if unsafe := condition(found).unsafe:
                log.warning("a crash of the server may lose what is booked", off=unsafe)
            migrate(found, book_currency=settings.book_currency, time_zone=settings.time_zone)
        if directory and loopback:
            reader.let_log_in(found, password(directory, found.reader))
            if reader.tcp_port(found) != loopback.port:
                say(f"PostgreSQL runs already, and not at {loopback.port}: it will when all have stopped that use it.")
        _tell(settings, found, say)
        yield found


def _tell(settings: Settings, found: Database, say: Callable[[str], object]) -> None:
    """On which book one works. OfAnotherBook."""
    with closing(found.connect()) as connection, connection.cursor() as cursor:
        ledger = read_ledger(cursor)
        book.check(settings, ledger)
        cursor.execute(head.POSITION)
        say(book.sentence(settings, ledger, scalar(cursor)))


@contextmanager
def open_service(
    settings: Settings,
    say: Callable[[str], object] = str,
    projected: Sequence[Projection] = PROJECTIONS,
    opening: Opening = Opening.MIGRATE,
) -> Iterator[Service]:
    """``projected`` is what is kept up to date once that is started."""
    with ExitStack() as stack:
        found = stack.enter_context(database(settings, say, opening))
        pool = stack.enter_context(Pool(found, 4))
        ledger = Ledger.read(pool)
        time_zone = ZoneInfo(ledger.time_zone)
        read_models = PostgresReadModels(found)
        stack.callback(read_models.close)
        if opening is Opening.FIND:
            Generations(found).find(PROJECTIONS)
        else:
            read_models.prepare(PROJECTIONS, topic_of(settings, pool).partitions if settings.kafka_bootstrap else 1)
        projectors = tuple(store_projector(pool, read_models, projection) for projection in PROJECTIONS)
        read_models.close()  # until they are turned
        health = Health()
        projecting = Projecting(settings, found, pool, projected, health)
        stack.callback(projecting.stop)
        clock = DatabaseClock()
        with pool.connection() as connection, connection.cursor() as cursor:
            clock.read(cursor)
        brief, answers = (stack.enter_context(each) for each in _pools(found, settings))
        store = PostgresLedger(
            found, brief, time_zone, patience=settings.patience_s, clock=clock, booked=projecting.stir
        )
        stack.callback(store.close)
        bus = Bus(store, clock.now, lambda: str(uuid7()), time_zone)
        queries = Queries(answers, brief, clock.now)
        readers = Readers(settings.query_connections, settings.patience_s)
        stack.callback(readers.close)
        waiting = Waiting(queries, projecting.wake)
        stack.callback(waiting.close)
        yield Service(settings, ledger, bus, store, pool, queries, readers, waiting, projectors, projecting, health)


def _pools(database: Database, settings: Settings) -> tuple[Pool, Pool]:
    """Of those who command, who are never kept waiting by those who ask; and of the latter, who may take long."""
    patience = settings.patience_s
    return (
        Pool(database, settings.command_connections, name="grossbuch brief", patience=patience),
        Pool(database, settings.query_connections, patience=patience, deadline=settings.query_s),
    )
