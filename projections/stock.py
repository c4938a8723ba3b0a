"""The stock register: what came in and went out, by product, warehouse and lot."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from domain.stock import Received, Shipped, WrittenOff
from domain.values import Day, Id
from projections.projection import Projection
from projections.query import ListParameters, Query, comma_separated
from projections.shapes import Register, Row

stock = Register(
    "stock",
    dimensions={"product": "text", "warehouse": "text", "lot": "text"},
    resources=("on_hand",),
    details={"document": "text", "reason": "text"},
)


@stock.on(Received)
def received(e: Received) -> Row:
    return e.product, e.warehouse, e.lot, e.quantity, e.document, None


@stock.on(Shipped)
def shipped(e: Shipped) -> Row:
    return e.product, e.warehouse, e.lot, -e.quantity, e.document, None


@stock.on(WrittenOff)
def written_off(e: WrittenOff) -> Row:
    return e.product, e.warehouse, e.lot, -e.quantity, None, e.reason


Dimension = Literal["product", "warehouse", "lot"]


class Cut(ListParameters):
    """Which rows, and by what they are added up; without ``group_by`` by all three."""

    product: Id | None = None
    warehouse: Id | None = None
    lot: Id | None = None


class Balances(Cut):
    group_by: Annotated[list[Dimension], BeforeValidator(comma_separated)] = ["product", "warehouse", "lot"]


class Turnovers(Balances):
    from_: Annotated[Day, Field(alias="from", description="First day")]
    to: Annotated[Day, Field(description="Last day, included")]


class Movements(Cut):
    from_: Annotated[Day | None, Field(alias="from", description="First day")] = None
    to: Annotated[Day | None, Field(description="Last day, included")] = None


class _Place(BaseModel):
    product: str | None
    warehouse: str | None
    lot: str | None


class Balance(_Place):
    on_hand: Decimal


class Turnover(_Place):
    opening: Decimal
    received: Decimal
    issued: Decimal
    closing: Decimal


class MovementRow(_Place):
    position: int
    event_type: str
    effective_at: str
    recorded_at: str
    quantity: Decimal
    document: str | None
    reason: str | None


projection = Projection("stock", 1, (stock,))
_PLACE = ("product", "warehouse", "lot")
queries = (
    Query("/v1/stock/balances", "stock", "stock_balances", Balances, Balance, "Stock on hand", order=_PLACE),
    Query("/v1/stock/turnovers", "stock", "stock_turnovers", Turnovers, Turnover, "Stock turnovers", order=_PLACE),
    Query(
        "/v1/stock/movements",
        "stock",
        "stock_movements",
        Movements,
        MovementRow,
        "Stock movements",
        order=("position", "line"),
    ),
)
