"""The stock registers: what is on hand, by product, warehouse and lot; and what is promised or on its way.

They are two, so that the many movements on hand do not carry the few promises along.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from domain.promises import OrderCancelled, Ordered, Released, Reserved
from domain.stock import CountAdjusted, Counted, Received, ReturnedIn, ReturnedOut, Shipped, WrittenOff
from domain.transfers import Accepted, Announced, Dispatched, LostInTransit
from domain.values import ZERO, Day, Id
from projections.explanation import Explanation
from projections.projection import Projection
from projections.query import ListParameters, Period, Query, comma_separated
from projections.shapes import Register, Row

stock = Register(
    "stock",
    dimensions={"product": "text", "warehouse": "text", "lot": "text"},
    resources=("on_hand",),
    details={"document": "text", "reason": "text", "cost": "numeric", "currency": "text", "lost": "numeric"},
)
stock_promise = Register(
    "stock_promise",
    dimensions={"product": "text", "warehouse": "text", "lot": "text"},
    resources=("reserved", "in_transit", "incoming"),
    details={"document": "text"},
)


@stock.on(Received)
def received(e: Received) -> Row:
    return e.product, e.warehouse, e.lot, e.quantity, e.document, None, e.cost, e.currency, None


@stock.on(Shipped)
def shipped(e: Shipped) -> Row:
    return e.product, e.warehouse, e.lot, -e.quantity, e.document, None, None, None, None


@stock.on(WrittenOff)
def written_off(e: WrittenOff) -> Row:
    return e.product, e.warehouse, e.lot, -e.quantity, None, e.reason, None, None, None


@stock.on(ReturnedIn)
def returned_in(e: ReturnedIn) -> Row:
    return e.product, e.warehouse, e.lot, e.quantity, e.document, None, e.price, e.currency, None


@stock.on(ReturnedOut)
def returned_out(e: ReturnedOut) -> Row:
    return e.product, e.warehouse, e.lot, -e.quantity, e.document, None, e.price, e.currency, None


@stock.on(Dispatched)
def dispatched(e: Dispatched) -> Row:
    return e.product, e.warehouse, e.lot, -e.quantity, e.transfer, None, None, None, None


@stock.on(Accepted)
def accepted(e: Accepted) -> Row:
    return e.product, e.warehouse, e.lot, e.quantity, e.transfer, None, None, None, None


@stock.on(LostInTransit)
def lost_in_transit(e: LostInTransit) -> Row:
    """It was on hand nowhere any more: a movement of nothing, which tells what became of it."""
    return e.product, e.warehouse, e.lot, ZERO, e.transfer, "transit loss", None, None, e.quantity


@stock.on(Counted)
def counted(e: Counted) -> Iterator[Row]:
    for found in e.adjustments:
        yield e.product, e.warehouse, found.lot, found.quantity, None, "count", None, None, None


@stock.on(CountAdjusted)
def count_adjusted(e: CountAdjusted) -> Row:
    return e.product, e.warehouse, e.lot, e.quantity, None, "count", None, None, None


@stock_promise.on(Reserved)
def reserved(e: Reserved) -> Row:
    return stock_promise.move(product=e.product, warehouse=e.warehouse, reserved=e.quantity, document=e.reservation)


@stock_promise.on(Released)
def released(e: Released) -> Row:
    return stock_promise.move(product=e.product, warehouse=e.warehouse, reserved=-e.quantity, document=e.reservation)


@stock_promise.on(Shipped)
def promise_kept(e: Shipped) -> Iterator[Row]:
    if e.reserved:
        kept = {"reserved": -e.reserved, "document": e.reservation}
        yield stock_promise.move(product=e.product, warehouse=e.warehouse, **kept)


@stock_promise.on(Ordered)
def ordered(e: Ordered) -> Row:
    return stock_promise.move(product=e.product, warehouse=e.warehouse, incoming=e.quantity, document=e.order)


@stock_promise.on(OrderCancelled)
def order_cancelled(e: OrderCancelled) -> Row:
    return stock_promise.move(product=e.product, warehouse=e.warehouse, incoming=-e.quantity, document=e.order)


@stock_promise.on(Received)
def order_filled(e: Received) -> Iterator[Row]:
    if e.ordered:
        filled = {"incoming": -e.ordered, "document": e.order}
        yield stock_promise.move(product=e.product, warehouse=e.warehouse, **filled)


@stock_promise.on(Announced)
def announced(e: Announced) -> Row:
    place = {"product": e.product, "warehouse": e.warehouse, "lot": e.lot}
    return stock_promise.move(**place, in_transit=e.quantity, document=e.transfer)


@stock_promise.on(Accepted, LostInTransit)
def arrived_or_lost(e: Accepted | LostInTransit) -> Row:
    place = {"product": e.product, "warehouse": e.warehouse, "lot": e.lot}
    return stock_promise.move(**place, in_transit=-e.quantity, document=e.transfer)


Dimension = Literal["product", "warehouse", "lot"]


class Cut(ListParameters):
    """Which rows, and by what they are added up; without ``group_by`` by all three."""

    product: Id | None = None
    warehouse: Id | None = None
    lot: Id | None = None


class Balances(Cut):
    group_by: Annotated[list[Dimension], BeforeValidator(comma_separated)] = ["product", "warehouse", "lot"]


class Turnovers(Period, Balances):
    """Period and cut."""


class Movements(Cut):
    from_: Annotated[Day | None, Field(alias="from", description="First day")] = None
    to: Annotated[Day | None, Field(description="Last day, included")] = None


class _Place(BaseModel):
    product: str | None
    warehouse: str | None
    lot: str | None


class Balance(_Place):
    on_hand: Decimal
    reserved: Decimal
    available: Decimal
    in_transit: Decimal
    incoming: Decimal
    forecast: Decimal


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
    lost: Decimal
    document: str | None
    reason: str | None
    cost: Decimal | None
    currency: str | None


projection = Projection("stock", 2, (stock, stock_promise))
_PLACE = ("product", "warehouse", "lot")
queries = (
    Query(
        "/v1/stock/balances",
        "stock",
        "stock_balances",
        Balances,
        Balance,
        "Stock on hand",
        order=_PLACE,
        explained_by=Explanation(
            keys=_PLACE, sums=("on_hand", "reserved", "available", "in_transit", "incoming", "forecast")
        ),
    ),
    Query(
        "/v1/stock/turnovers",
        "stock",
        "stock_turnovers",
        Turnovers,
        Turnover,
        "Stock turnovers",
        order=_PLACE,
        explained_by=Explanation(keys=_PLACE, sums=("opening", "received", "issued", "closing")),
    ),
    Query(
        "/v1/stock/movements",
        "stock",
        "stock_movements",
        Movements,
        MovementRow,
        "Stock movements",
        order=("position", "line"),
        explained_by="each movement is what one event did, and names it",
    ),
)
