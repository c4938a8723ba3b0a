"""Words of the tests about read models that follow several partitions: deals that change owners, in the real book."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import partial

from consumers.ports import Feed
from consumers.projector import Projector
from domain.aggregate import Entry
from domain.deals import Assigned
from infra.postgres.append import entry_row
from infra.postgres.connection import Database, Pool
from infra.postgres.feed import StoreFeed
from infra.postgres.read_models import PostgresReadModels
from infra.postgres.writer import Writer
from projections.projection import Projection
from projections.shapes import Card, Register, Row

DAY = date(2026, 1, 1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Squeamish:
    """What the made-up projection cannot take, until it is cured."""

    cured: bool | None = False
    """None: it has become worse."""


def squeamish() -> tuple[Projection, Squeamish]:
    """Counts how often a deal was given to somebody; cannot take an owner called ``bad``."""
    state = Squeamish()
    given = Register("given", dimensions={"deal": "text", "owner": "text"}, resources=("times",))

    @given.on(Assigned)
    def assigned(e: Assigned) -> Row:
        if e.owner == "bad" and not state.cured:
            raise ValueError(
                "this owner cannot be taken" if state.cured is False else "still this owner cannot be taken"
            )
        return given.move(deal=e.deal, owner=e.owner.replace("NUL", "\0" if not state.cured else ""), times=1)

    return Projection("given", 1, (given,)), state


def owners() -> Projection:
    """Of each owner, all deals: a card that events of many deals write to."""
    owner = Card("owner", "owner")

    @owner.on(Assigned)
    def assigned(e: Assigned) -> Row:
        return owner.row(key=e.owner, patch=f'{{"{e.deal}": 1}}')

    return Projection("owners", 1, (owner,))


def assign(
    database: Database, told: Iterable[tuple[str, str]], versions: dict[str, int] | None = None, *, on: datetime = NOON
) -> int:
    """Deals and their new owners, one event each; gives the last position."""
    at = {} if versions is None else versions
    writer = Writer(database)
    last = 0
    try:
        for deal, owner in told:
            at[deal] = at.get(deal, 0) + 1
            event = Assigned(deal=deal, client="C", pipeline="p", owner=owner)
            last = writer.append([entry_row(Entry(f"deal-{deal}", at[deal], event, on, DAY))])
    finally:
        writer.close()
    return last


def store_feed(pool: Pool, read_models: PostgresReadModels, projection: Projection, partitions: int) -> Feed:
    return StoreFeed(pool, projection.types, partitions, partial(read_models.places, projection, partitions))


def projector(pool: Pool, read_models: PostgresReadModels, projection: Projection, partitions: int = 1) -> Projector:
    feed = store_feed(pool, read_models, projection, partitions)
    return Projector(projection, feed, read_models, partitions)


def rows(pool: Pool, sql: str) -> Sequence[tuple[object, ...]]:
    return pool.read(sql, ())
