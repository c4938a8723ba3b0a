"""Products: what is held in stock, in which unit and how finely it is counted."""

from typing import Literal

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.refusal import already_exists

Costing = Literal["fifo", "average"]


class Registered(Event, type="product.registered"):
    product: str
    name: str
    unit: str
    scale: int
    costing: Costing
    expires: bool = False
    attributes: dict[str, str] = {}


class Product(Aggregate, kind="product"):
    scale: int = 0

    def register(self, event: Registered) -> Registered:
        if self.exists:
            raise already_exists("product", self.id)
        return event

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Registered(scale=scale):
                return {"scale": scale}
        return {}
