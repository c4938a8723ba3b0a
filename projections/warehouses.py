"""Warehouse cards."""

from pydantic import BaseModel

from domain.warehouses import Registered
from projections.cards import card_queries, patch
from projections.projection import Projection
from projections.shapes import Card, Fact, Row

warehouse = Card(
    "warehouse",
    key="warehouse",
    facts={
        "name": Fact("text", "As people call it."),
        "negative_stock": Fact("text", "Whether more may leave than there is."),
    },
)


@warehouse.on(Registered)
def registered(e: Registered) -> Row:
    return patch(e.warehouse, e, "name", "negative_stock")


class WarehouseCard(BaseModel):
    warehouse: str
    name: str
    negative_stock: str


projection = Projection("warehouses", 2, (warehouse,))
queries = card_queries("/v1/warehouses", warehouse, projection, WarehouseCard)
