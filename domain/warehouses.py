"""Warehouses: where stock lies, and whether it may fall below nothing."""

from typing import Literal

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.refusal import already_exists

NegativeStock = Literal["forbid", "allow"]


class Registered(Event, type="warehouse.registered"):
    warehouse: str
    name: str
    negative_stock: NegativeStock


class Warehouse(Aggregate, kind="warehouse"):
    negative_stock: NegativeStock = "forbid"

    def register(self, event: Registered) -> Registered:
        if self.exists:
            raise already_exists("warehouse", self.id)
        return event

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Registered(negative_stock=negative_stock):
                return {"negative_stock": negative_stock}
        return {}
