"""Promises on stock: reservations, which keep what is there for somebody, and orders, which will bring more."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.refusal import not_found, out_of_order


class Reserved(Event, type="stock.reserved"):
    reservation: str
    product: str
    warehouse: str
    quantity: Decimal
    deal: str | None = None


class Released(Event, type="stock.released"):
    """What was left of a reservation is free again."""

    reservation: str
    product: str
    warehouse: str
    quantity: Decimal


class Ordered(Event, type="stock.ordered"):
    """From a supplier; not yet received."""

    order: str
    product: str
    warehouse: str
    quantity: Decimal
    expected_on: date | None = None
    document: str | None = None


class OrderCancelled(Event, type="stock.order_cancelled"):
    """What was left of an order will not come."""

    order: str
    product: str
    warehouse: str
    quantity: Decimal


class Promise(BaseModel):
    """What is left of a reservation or of an order, since when it stands, and for which deal."""

    model_config = ConfigDict(frozen=True)

    quantity: Decimal
    at: datetime
    deal: str | None = None


Promises = dict[str, Promise]


def standing(promises: Mapping[str, Promise], kind: str, id: str, at: datetime) -> Promise:
    """It must be there, and not later than what is done with it."""
    promise = promises.get(id)
    if promise is None:
        raise not_found(f"open {kind}", id)
    if at < promise.at:
        raise out_of_order(kind, id, promise.at, at)
    return promise


def less(promises: Mapping[str, Promise], id: str, quantity: Decimal) -> Promises:
    """What is filled leaves the state."""
    rest = {other: promise for other, promise in promises.items() if other != id}
    if left := promises[id].quantity - quantity:
        rest[id] = promises[id].model_copy(update={"quantity": left})
    return rest
