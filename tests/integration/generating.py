"""Words of the tests about generations: a made-up projection that counts how often a deal was given to somebody."""

from contextlib import closing
from functools import partial

from consumers.projector import Projector
from domain.deals import Assigned
from infra.postgres.connection import Database, Pool
from infra.postgres.feed import StoreFeed
from infra.postgres.generations import Generation, Generations
from infra.postgres.read_models import PostgresReadModels
from projections.projection import Projection
from projections.shapes import Register, Row

TOLD = [("D1", "ann"), ("D2", "ann"), ("D1", "bob"), ("D3", "bob")]
BALANCE = "SELECT deal, owner, times FROM given_at(NULL, NULL) ORDER BY deal, owner"


def counting(name: str, factor: int) -> Register:
    """Each time counts so many times."""
    register = Register(name, dimensions={"deal": "text", "owner": "text"}, resources=("times",))

    @register.on(Assigned)
    def assigned(e: Assigned) -> Row:
        return register.move(deal=e.deal, owner=e.owner, times=factor)

    return register


def times(version: int, factor: int) -> Projection:
    """As ``given``, which counts each time once."""
    return Projection("given", version, (counting("given", factor),))


def filled(database: Database, pool: Pool, projection: Projection, upto: int, partitions: int = 12) -> Generation:
    """And no further."""
    new = Generations(database).begin(projection, partitions)
    with closing(PostgresReadModels(database, [new])) as filling:
        places = partial(filling.places, projection, partitions)
        feed = StoreFeed(pool, projection.types, partitions, places, last=upto)
        Projector(projection, feed, filling, partitions).catch_up(upto)
    return new
