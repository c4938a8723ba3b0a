"""Stock: what comes into a warehouse, what leaves it, and that no day may end below nothing."""

from datetime import date
from decimal import Decimal
from itertools import accumulate

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.money import check_quantity
from domain.products import Product
from domain.refusal import Refusal
from domain.values import ZERO
from domain.warehouses import Warehouse


class Received(Event, type="stock.received"):
    """``cost`` is that of the whole quantity, in ``currency``."""

    product: str
    warehouse: str
    quantity: Decimal
    cost: Decimal
    currency: str
    lot: str | None = None
    expires_on: date | None = None
    document: str | None = None


class Shipped(Event, type="stock.shipped"):
    product: str
    warehouse: str
    quantity: Decimal
    lot: str | None = None
    deal: str | None = None
    document: str | None = None


class WrittenOff(Event, type="stock.written_off"):
    product: str
    warehouse: str
    quantity: Decimal
    reason: str
    lot: str | None = None
    note: str | None = None


class StockItem(Aggregate, kind="stock"):
    """What one warehouse holds of one product: for each lot ("" is stock without one), its change day by day."""

    days: dict[str, dict[date, Decimal]] = {}

    @property
    def order_key(self) -> str:
        """The product: its movements over all warehouses stay in order, which valuation needs."""
        return f"product-{self.stream.rpartition('/')[2]}"

    def receive(self, event: Received, product: Product) -> Received:
        check_quantity(event.quantity, event.product, product.scale)
        return event

    def ship(self, event: Shipped, product: Product, warehouse: Warehouse, on: date) -> Shipped:
        self._check_issue(event, product, warehouse, on)
        return event

    def write_off(self, event: WrittenOff, product: Product, warehouse: Warehouse, on: date) -> WrittenOff:
        self._check_issue(event, product, warehouse, on)
        return event

    def _check_issue(self, event: Shipped | WrittenOff, product: Product, warehouse: Warehouse, on: date) -> None:
        check_quantity(event.quantity, event.product, product.scale)
        if warehouse.negative_stock == "allow":
            return
        day, available = self.least_available(event.lot or "", since=on)
        if available < event.quantity:
            raise Refusal(
                "insufficient_stock",
                f"{self.id} would be short by {event.quantity - available} on {day}.",
                available=available,
                shortfall=event.quantity - available,
                on=day,
            )

    def least_available(self, lot: str, since: date) -> tuple[date, Decimal]:
        """The first day from ``since`` on with the least on hand at its end, and how much that is.

        Every day counts, not only the last: a backdated issue may not make an earlier day negative.
        """
        days = self.days.get(lot, {})
        opening = sum((change for day, change in days.items() if day <= since), ZERO)
        later = sorted((day, change) for day, change in days.items() if day > since)
        balances = accumulate((change for _, change in later), initial=opening)
        return min(zip([since, *(day for day, _ in later)], balances, strict=True), key=lambda at: at[1])

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Received(lot=lot, quantity=quantity):
                change = quantity
            case Shipped(lot=lot, quantity=quantity) | WrittenOff(lot=lot, quantity=quantity):
                change = -quantity
            case _:
                return {}
        key = lot or ""
        days = dict(self.days.get(key, {}))
        days[entry.on] = days.get(entry.on, ZERO) + change
        return {"days": {**self.days, key: days}}
