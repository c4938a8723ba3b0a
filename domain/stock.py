"""Stock: what came in, what went out, and what was counted.

Quantities are in the product's unit and never negative, unless said otherwise; ``lot`` None is stock without a lot.
"""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.event import Event


class Received(Event, type="stock.received"):
    """``cost`` is that of the whole quantity, in ``currency``; ``ordered`` is how much of it fills ``order``."""

    product: str
    warehouse: str
    quantity: Decimal
    cost: Decimal
    currency: str
    lot: str | None = None
    expires_on: date | None = None
    document: str | None = None
    transfer: str | None = None
    order: str | None = None
    ordered: Decimal | None = None


class Shipped(Event, type="stock.shipped"):
    """``reserved`` is how much of it had been promised by ``reservation``; ``client`` is whom it goes to."""

    product: str
    warehouse: str
    quantity: Decimal
    lot: str | None = None
    deal: str | None = None
    document: str | None = None
    reservation: str | None = None
    reserved: Decimal | None = None
    client: str | None = None


class WrittenOff(Event, type="stock.written_off"):
    product: str
    warehouse: str
    quantity: Decimal
    reason: str
    lot: str | None = None
    note: str | None = None


class ReturnedIn(Event, type="stock.returned_in"):
    """From a customer. ``document`` is what it went out with, ``price`` what is given back for all of it."""

    product: str
    warehouse: str
    quantity: Decimal
    document: str
    lot: str | None = None
    price: Decimal | None = None
    currency: str | None = None


class ReturnedOut(Event, type="stock.returned_out"):
    """To a supplier. ``document`` is what it came in with, ``price`` what the supplier gives for all of it."""

    product: str
    warehouse: str
    quantity: Decimal
    document: str
    lot: str | None = None
    price: Decimal | None = None
    currency: str | None = None


class Adjustment(BaseModel):
    """More (positive) or less of a lot than the book said."""

    model_config = ConfigDict(frozen=True)

    lot: str | None = None
    quantity: Decimal


class Counted(Event, type="stock.counted"):
    """What was there at the end of its day: of one lot if it is named, else of all together."""

    product: str
    warehouse: str
    counted: Decimal
    lot: str | None = None
    adjustments: tuple[Adjustment, ...] = ()


class CountAdjusted(Event, type="stock.count_adjusted"):
    """A movement became known that took effect before a count. What was counted stands, so the count's adjustment
    changes by ``quantity``, which may be negative; it takes effect with the count."""

    product: str
    warehouse: str
    quantity: Decimal
    lot: str | None = None
