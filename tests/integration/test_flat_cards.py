"""Cards for analysts: a view a card, whose columns are its facts, typed and commented."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.clients import CounterpartyAdded, CreditLimitSet
from domain.clients import Registered as ClientRegistered
from domain.event import Event
from domain.products import Registered as ProductRegistered
from infra.postgres.connection import Database, Pool
from infra.postgres.generations import Generations
from infra.postgres.read_models import PostgresReadModels
from projections import PROJECTIONS, clients, products
from projections.projection import Projection
from projections.shapes import Card
from tests.integration.writing import query
from tests.properties.books import fill_book, projector
from tests.properties.histories import Step, placed

NOW = datetime.now(UTC)
CLIENT = {"client": "C1", "name": "North & Co", "kind": "shop", "source": "fair"}
CARDS = [shape for projection in PROJECTIONS for shape in projection.shapes if isinstance(shape, Card)]


@pytest.fixture(autouse=True)
def _book(pool: Pool) -> None:
    fill_book(pool)


def told(database: Database, projection: Projection, *events: tuple[Event, datetime]) -> None:
    read_models = PostgresReadModels(database)
    read_models.prepare([projection])
    steps = [Step("client-C1", event, at) for event, at in events]
    projector(projection, placed(steps), read_models).catch_up(len(steps))
    read_models.close()


def rows(pool: Pool, view: str) -> list[dict[str, object]]:
    names, found = pool.read_named(f"SELECT * FROM {pool.database.read_schema}.{view}")
    return [dict(zip(names, row, strict=True)) for row in found]


def test_facts_have_the_type_that_they_are_of(database: Database, pool: Pool) -> None:
    product = ProductRegistered(
        product="P1", name="Lamp", unit="pc", scale=2, costing="fifo", expires=True, attributes={"colour": "red"}
    )
    told(database, products.projection, (product, NOW))
    [row] = rows(pool, "products")
    assert (row["product"], row["scale"], row["expires"], row["attributes"]) == ("P1", 2, True, {"colour": "red"})


def test_what_is_told_piece_by_piece_is_put_together(database: Database, pool: Pool) -> None:
    client = ClientRegistered(**CLIENT, attributes={"size": "big"}, contacts={"email": "n@example.org"})
    partner = CounterpartyAdded(client="C1", counterparty="K1", name="North Ltd", tax_id="7")
    limit = CreditLimitSet(client="C1", amount=Decimal("99.50"), currency="EUR")
    told(database, clients.projection, (client, NOW), (partner, NOW), (limit, NOW))
    [row] = rows(pool, "clients")
    assert (row["attributes"], row["contacts"]) == ({"size": "big"}, {"email": "n@example.org"})
    assert row["counterparties"] == {"K1": {"counterparty": "K1", "name": "North Ltd", "tax_id": "7"}}
    assert (row["credit_limit"], row["credit_currency"], row["retired"]) == (Decimal("99.50"), "EUR", {})


def test_what_has_not_taken_effect_yet_is_not_in_it(database: Database, pool: Pool) -> None:
    client = ClientRegistered(**CLIENT, attributes={}, contacts={})
    limit = CreditLimitSet(client="C1", amount=Decimal(1), currency="EUR")
    told(database, clients.projection, (client, NOW), (limit, NOW + timedelta(days=2)))
    [row] = rows(pool, "clients")
    assert (row["name"], row["credit_limit"], row["position"]) == ("North & Co", None, 1)


def test_it_is_there_after_a_rebuild(database: Database, pool: Pool) -> None:
    told(database, clients.projection, (ClientRegistered(**CLIENT, attributes={}, contacts={}), NOW))
    generations = Generations(database)
    generations.swap_soon(generations.begin(clients.projection, 1), whatever_is_read=True)
    generations.drop("clients", 1)
    assert rows(pool, "clients") == []


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_column_says_what_it_means(database: Database, card: Card) -> None:
    [projection] = [each for each in PROJECTIONS if card in each.shapes]
    told(database, projection)
    comments = query(
        database,
        "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
        f"{database.read_schema}.{card.name}s",
    )
    assert [name for name, _ in comments] == [card.key, *card.facts, "effective_at", "position"]
    assert [name for name, comment in comments if not comment] == []
    assert len(card.facts) > 1
