"""Clients: whom the company trades with."""

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
        return {}
