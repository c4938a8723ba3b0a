"""Clients: whom the company trades with, and the legal entities they trade as."""

from datetime import date
from decimal import Decimal

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.refusal import already_exists


class Registered(Event, type="client.registered"):
    client: str
    name: str
    kind: str | None = None
    source: str | None = None
    attributes: dict[str, str] = {}
    contacts: dict[str, str] = {}


class Changed(Event, type="client.changed"):
    """Only what is given has changed. Of attributes and contacts those that are named; null takes one away."""

    client: str
    name: str | None = None
    source: str | None = None
    attributes: dict[str, str | None] = {}
    contacts: dict[str, str | None] = {}


class CounterpartyAdded(Event, type="client.counterparty_added"):
    """A legal entity that the client trades as, from now on or again. In the stream of the client's account."""

    client: str
    counterparty: str
    name: str | None = None
    tax_id: str | None = None


class CounterpartyRetired(Event, type="client.counterparty_retired"):
    """From this day on it is invoiced no more; it may still pay."""

    client: str
    counterparty: str
    retired_on: date


class CreditLimitSet(Event, type="client.credit_limit_set"):
    client: str
    amount: Decimal
    currency: str


class Client(Aggregate, kind="client"):
    name: str = ""

    def register(self, event: Registered) -> Registered:
        if self.exists:
            raise already_exists("client", self.id)
        return event

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Registered(name=name):
                return {"name": name}
            case Changed(name=str(name)):
                return {"name": name}
        return {}
