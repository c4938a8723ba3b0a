"""Client cards."""

from pydantic import BaseModel

from domain.clients import Registered
from projections.cards import card_queries, patch
from projections.projection import Projection
from projections.shapes import Card, Row

client = Card("client", key="client")


@client.on(Registered)
def registered(e: Registered) -> Row:
    return patch(e.client, e, "name", "kind", "source", "attributes", "contacts")


class ClientCard(BaseModel):
    client: str
    name: str
    kind: str | None = None
    source: str | None = None
    attributes: dict[str, str]
    contacts: dict[str, str]


projection = Projection("clients", 1, (client,))
queries = card_queries("/v1/clients", client, projection, ClientCard)
