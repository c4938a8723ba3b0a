"""Client cards: who they are, which legal entities they trade as, and how much they may owe.

A patch replaces whole facts. What changes piece by piece is therefore a fact a piece, ``attributes.size`` or
``counterparty.K1``, and put together when the card is read (sql/clients.sql).
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import orjson
from pydantic import BaseModel

from domain.clients import Changed, CounterpartyAdded, CounterpartyRetired, CreditLimitSet, Registered
from projections.cards import card_queries, patch
from projections.explanation import Facts
from projections.projection import Projection
from projections.shapes import Card, Fact, Row

client = Card(
    "client",
    key="client",
    facts={
        "name": Fact("text", "As people call it."),
        "kind": Fact("text", "What kind of client, in a word of your own."),
        "source": Fact("text", "Where it came from: a campaign, a channel."),
        "attributes": Fact("jsonb", "Facts of your own, by name.", pieces="attributes"),
        "contacts": Fact("jsonb", "Ways to reach the client, by name.", pieces="contacts"),
        "counterparties": Fact("jsonb", "Its legal entities, by id.", pieces="counterparty"),
        "retired": Fact("jsonb", "From which day on a counterparty is not invoiced, by its id.", pieces="retired"),
        "credit_limit": Fact("numeric", "The most that the client may owe.", ("credit_limit", "amount")),
        "credit_currency": Fact("text", "ISO 4217, of the credit limit.", ("credit_limit", "currency")),
    },
)


@client.on(Registered)
def registered(e: Registered) -> Row:
    return patch(e.client, e, "name", "kind", "source", **_pieces(e))


@client.on(Changed)
def changed(e: Changed) -> Row:
    return patch(e.client, e, "name", "source", **_pieces(e))


def _pieces(e: Registered | Changed) -> dict[str, str | None]:
    attributes = {f"attributes.{name}": value for name, value in e.attributes.items()}
    contacts = {f"contacts.{name}": value for name, value in e.contacts.items()}
    return {**attributes, **contacts}


@client.on(CounterpartyAdded)
def counterparty_added(e: CounterpartyAdded) -> Row:
    known = {"counterparty": e.counterparty, "name": e.name, "tax_id": e.tax_id}
    return e.client, orjson.dumps({f"counterparty.{e.counterparty}": known, f"retired.{e.counterparty}": None}).decode()


@client.on(CounterpartyRetired)
def counterparty_retired(e: CounterpartyRetired) -> Row:
    return patch(e.client, e, **{f"retired.{e.counterparty}": e.retired_on})


@client.on(CreditLimitSet)
def credit_limit_set(e: CreditLimitSet) -> Row:
    limit = {"amount": str(e.amount), "currency": e.currency}
    return e.client, orjson.dumps({"credit_limit": limit}).decode()


class Counterparty(BaseModel):
    counterparty: str
    name: str | None
    tax_id: str | None
    retired_on: date | None


class CreditLimit(BaseModel):
    amount: Decimal
    currency: str


class ClientCard(BaseModel):
    client: str
    name: str
    kind: str | None = None
    source: str | None = None
    attributes: dict[str, str]
    contacts: dict[str, str]
    counterparties: list[Counterparty]
    credit_limit: CreditLimit | None = None


class ClientFacts(Facts):
    """Of a counterparty the day on which it was retired is told apart from the rest."""

    def fact(self, *path: str) -> list[str]:
        match path:
            case "counterparties", counterparty, "retired_on":
                return [f"retired.{counterparty}"]
            case "counterparties", counterparty, field:
                return [f"counterparty.{counterparty}", field]
            case ("attributes" | "contacts") as kind, name:
                return [f"{kind}.{name}"]
        return list(path)


projection = Projection("clients", 3, (client,))
_all, _one = card_queries("/v1/clients", client, projection, ClientCard)
_FOUND = (
    "%(search)s IS NULL OR strpos(lower(name), lower(%(search)s)) > 0"
    ' OR strpos(lower(key COLLATE "default"), lower(%(search)s)) > 0'
)
_EXPLAINED = ClientFacts(keys=("client",), within="counterparty", sql="card")
queries = (
    replace(_all, sql="clients", names={**_all.names, "where": _FOUND}, explained_by=_EXPLAINED),
    replace(_one, sql="clients", names={**_one.names, "where": "key = %(client)s"}, explained_by=_EXPLAINED),
)
