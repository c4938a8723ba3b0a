"""A stock item: what one warehouse holds of one product, and the rules by which it moves.

No day may end below nothing, whatever the order in which movements become known. What is promised may not be given to
others. What was counted stands: a movement that becomes known later and took effect before is made up for at the count.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.aggregate import Aggregate, Changes, Entry
from domain.days import added, balance, least, plus
from domain.event import Event
from domain.money import check_quantity
from domain.products import Product
from domain.promises import OrderCancelled, Ordered, Promise, Promises, Released, Reserved, less, standing
from domain.refusal import Refusal
from domain.stock import (
    Adjustment,
    CountAdjusted,
    Counted,
    Received,
    ReturnedIn,
    ReturnedOut,
    Shipped,
    WrittenOff,
)
from domain.transfers import Accepted, Announced, Dispatched, LostInTransit, Transit, on_its_way
from domain.values import ZERO
from domain.warehouses import Warehouse

Days = dict[date, Decimal]


class Lot(BaseModel):
    """``since`` is the day on which it first came in; the last of all days until it has."""

    model_config = ConfigDict(frozen=True)

    since: date = date.max
    expires_on: date | None = None


NOTHING_KNOWN = Lot()


class Count(BaseModel):
    """``lot`` None: all lots together were counted."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    on: date
    lot: str | None = None


class Part(NamedTuple):
    """So much of a lot."""

    lot: str | None
    quantity: Decimal


class StockItem(Aggregate, kind="stock", state_version=2):
    """By lot ("" is stock without one) and by day, how much came in or went out."""

    days: dict[str, Days] = {}
    lots: dict[str, Lot] = {}
    reserved: Days = {}
    reservations: Promises = {}
    orders: Promises = {}
    transit: dict[str, Transit] = {}
    counts: tuple[Count, ...] = ()

    @property
    def order_key(self) -> str:
        """The product: its movements over all warehouses stay in order, which valuation needs."""
        return f"product-{self.product}"

    @property
    def warehouse(self) -> str:
        return self.id.partition("/")[0]

    @property
    def product(self) -> str:
        return self.id.partition("/")[2]

    def receive(self, event: Received, product: Product, at: datetime) -> Received:
        check_quantity(event.quantity, event.product, product.scale)
        known = self.lots.get(event.lot or "")
        if known and known.expires_on and event.expires_on not in (None, known.expires_on):
            raise Refusal(
                "invalid",
                f"The lot {event.lot} expires on {known.expires_on}.",
                field="expires_on",
                on=known.expires_on,
            )
        if event.order is None:
            return event
        order = standing(self.orders, "order", event.order, at)
        return event.model_copy(update={"ordered": min(order.quantity, event.quantity)})

    def ship(self, event: Shipped, product: Product, warehouse: Warehouse, on: date, at: datetime) -> Iterator[Shipped]:
        """What a reservation promised goes first; beyond it only what nobody was promised."""
        check_quantity(event.quantity, event.product, product.scale)
        left = ZERO
        if event.reservation:
            left = standing(self.reservations, "reservation", event.reservation, at).quantity
        for part in self._take(event.quantity, event.lot, on, warehouse, promised=min(left, event.quantity)):
            reserved = min(left, part.quantity)
            left -= reserved
            yield event.model_copy(update={**part._asdict(), "reserved": reserved or None})

    def write_off(self, event: WrittenOff, product: Product, warehouse: Warehouse, on: date) -> Iterator[WrittenOff]:
        """It is gone, promised or not."""
        check_quantity(event.quantity, event.product, product.scale)
        for part in self._take(event.quantity, event.lot, on, warehouse):
            yield event.model_copy(update=part._asdict())

    def return_in(self, event: ReturnedIn, product: Product) -> ReturnedIn:
        check_quantity(event.quantity, event.product, product.scale)
        return event

    def return_out(self, event: ReturnedOut, product: Product, warehouse: Warehouse, on: date) -> Iterator[ReturnedOut]:
        check_quantity(event.quantity, event.product, product.scale)
        for part in self._take(event.quantity, event.lot, on, warehouse, promised=ZERO):
            yield event.model_copy(update=part._asdict())

    def count(self, event: Counted, product: Product, warehouse: Warehouse, on: date) -> Counted:
        """The difference to the book at the end of its day; what is missing is taken from the lots as an issue is."""
        check_quantity(event.counted, event.product, product.scale)
        lots = [event.lot] if event.lot else self._in_order()
        held = {lot: balance(self.days.get(lot, {}), on) for lot in lots}
        difference = event.counted - sum(held.values(), ZERO)
        found: dict[str, Decimal] = {}
        for lot in lots:
            missing = min(max(held[lot], ZERO), max(-difference, ZERO))
            difference += missing
            found[lot] = -missing
        found[event.lot or ""] = found.get(event.lot or "", ZERO) + difference
        adjustments = [Adjustment(lot=lot or None, quantity=quantity) for lot, quantity in found.items() if quantity]
        for lot, quantity in found.items():
            if quantity < 0 and warehouse.negative_stock == "forbid":
                day, available = least(self.days.get(lot, {}), on, self._until(lot, on))
                self._check(available, -quantity, day)
        return event.model_copy(update={"adjustments": tuple(adjustments)})

    def reserve(self, event: Reserved, product: Product, warehouse: Warehouse, on: date) -> Reserved:
        check_quantity(event.quantity, event.product, product.scale)
        if warehouse.negative_stock == "forbid":
            day, free = self._least_free(on)
            self._check(free, event.quantity, day)
        return event

    def release(self, reservation: str, at: datetime) -> Released:
        left = standing(self.reservations, "reservation", reservation, at).quantity
        return Released(reservation=reservation, product=self.product, warehouse=self.warehouse, quantity=left)

    def order(self, event: Ordered, product: Product) -> Ordered:
        check_quantity(event.quantity, event.product, product.scale)
        return event

    def cancel_order(self, order: str, at: datetime) -> OrderCancelled:
        left = standing(self.orders, "order", order, at).quantity
        return OrderCancelled(order=order, product=self.product, warehouse=self.warehouse, quantity=left)

    def dispatch(self, event: Dispatched, product: Product, warehouse: Warehouse, on: date) -> Iterator[Dispatched]:
        check_quantity(event.quantity, event.product, product.scale)
        for part in self._take(event.quantity, event.lot, on, warehouse, promised=ZERO):
            yield event.model_copy(update=part._asdict())

    def announce(self, dispatched: Dispatched) -> Announced:
        """To the item that it will belong to. The lot brings along what is known of it."""
        lot = self.lots.get(dispatched.lot or "")
        return Announced(
            transfer=dispatched.transfer,
            product=dispatched.product,
            warehouse=dispatched.to_warehouse,
            from_warehouse=dispatched.warehouse,
            quantity=dispatched.quantity,
            lot=dispatched.lot,
            expires_on=lot.expires_on if lot else None,
        )

    def accept(
        self, transfer: str, arrived: Decimal, lost: Decimal, product: Product, at: datetime
    ) -> Iterator[Accepted | LostInTransit]:
        for quantity in (arrived, lost):
            check_quantity(quantity, product.id, product.scale)
        coming = on_its_way(self.transit, transfer, arrived + lost, at)
        return coming.settle(transfer, product.id, self.warehouse, arrived, lost)

    def absorbed(self, event: Event, on: date) -> Iterator[tuple[CountAdjusted, datetime]]:
        """What makes up for an event at the counts after its day; and when it takes effect."""
        if not self.counts:
            return
        for lot, quantity in on_hand(event):
            if count := self._next_count(lot, on):
                place = {"product": self.product, "warehouse": self.warehouse, "lot": lot or None}
                yield CountAdjusted.model_validate({**place, "quantity": -quantity}), count.at

    def _take(
        self, quantity: Decimal, lot: str | None, on: date, warehouse: Warehouse, promised: Decimal | None = None
    ) -> list[Part]:
        """From which lots: the one named, else the first to expire, then the first that came in.

        ``promised`` is how much of it may come out of what is promised; None: promises do not matter.
        """
        strict = warehouse.negative_stock == "forbid"
        parts: dict[str, Decimal] = {}
        scarce = on
        left = quantity
        for each in [lot] if lot else self._in_order():
            day, available = least(self.days.get(each, {}), on, self._until(each, on))
            scarce = max(scarce, day)
            parts[each] = min(max(available, ZERO), left)
            left -= parts[each]
        if left and strict:
            self._check(quantity - left, quantity, scarce)
        if strict and promised is not None and self.reserved:
            day, free = self._least_free(on, self._felt_until(parts, on))
            self._check(max(free, ZERO) + promised, quantity, day)
        parts[lot or ""] = parts.get(lot or "", ZERO) + left
        return [Part(each or None, part) for each, part in parts.items() if part]

    def _in_order(self) -> list[str]:
        known = [(self.lots[lot].expires_on or date.max, self.lots[lot].since, lot) for lot in self.days]
        return [lot for _, _, lot in sorted(known)]

    def _least_free(self, on: date, until: date | None = None) -> tuple[date, Decimal]:
        """The least that is there and promised to nobody, from a day on."""
        promised = {day: -change for day, change in self.reserved.items()}
        return least(added([*self.days.values(), promised]), on, until)

    def _felt_until(self, parts: dict[str, Decimal], on: date) -> date | None:
        """An issue of these lots is felt no longer than until all of them have been counted."""
        ends = [self._until(lot, on) for lot, part in parts.items() if part]
        return max((end for end in ends if end), default=None) if all(ends) else None

    def _next_count(self, lot: str | None, on: date) -> Count | None:
        """The first after a day, of this lot or of all together."""
        later = [count for count in self.counts if count.on > on and count.lot in (None, lot)]
        return min(later, key=lambda count: (count.on, count.at), default=None)

    def _until(self, lot: str | None, on: date) -> date | None:
        """A movement that takes effect on a day is felt before the next count only."""
        count = self._next_count(lot, on)
        return count.on if count else None

    def _check(self, available: Decimal, quantity: Decimal, day: date) -> None:
        if available < quantity:
            raise Refusal(
                "insufficient_stock",
                f"{self.id} would be short by {quantity - available} on {day}.",
                available=available,
                shortfall=quantity - available,
                on=day,
            )

    def evolve(self, entry: Entry) -> Changes:
        event = entry.event
        return self._moved(event, entry.on) | self._promised(event, entry) | self._on_its_way(event, entry)

    def _moved(self, event: Event, on: date) -> Changes:
        moved = on_hand(event)
        if not moved:
            return {}
        days = {lot: plus(self.days.get(lot, {}), on, quantity) for lot, quantity in moved}
        told = {lot: self._told(lot, on if quantity > 0 else None, event) for lot, quantity in moved}
        new = {lot: known for lot, known in told.items() if known is not self.lots.get(lot)}
        return {"days": {**self.days, **days}, **({"lots": {**self.lots, **new}} if new else {})}

    def _told(self, lot: str, came_on: date | None, event: Event) -> Lot:
        """What is known of a lot: the first day on which it came in, and its expiry as soon as somebody tells it."""
        known = self.lots.get(lot, NOTHING_KNOWN)
        since = min(known.since, came_on) if came_on else known.since
        expires_on = known.expires_on or self._expiry(event)
        if lot in self.lots and (since, expires_on) == (known.since, known.expires_on):
            return known
        return Lot(since=since, expires_on=expires_on)

    def _expiry(self, event: Event) -> date | None:
        match event:
            case Received(expires_on=expires_on):
                return expires_on
            case Accepted(transfer=transfer, lot=lot):
                return self.transit[transfer].expiry(lot)
        return None

    def _promised(self, event: Event, entry: Entry) -> Changes:
        match event:
            case Received(order=str(order), ordered=Decimal() as filled):
                return {"orders": less(self.orders, order, filled)}
            case Ordered(order=order, quantity=quantity):
                return {"orders": {**self.orders, order: Promise(quantity=quantity, at=entry.effective_at)}}
            case OrderCancelled(order=order, quantity=quantity):
                return {"orders": less(self.orders, order, quantity)}
            case Reserved(reservation=reservation, quantity=quantity, deal=deal):
                promise = Promise(quantity=quantity, at=entry.effective_at, deal=deal)
                return {
                    "reservations": {**self.reservations, reservation: promise},
                    "reserved": plus(self.reserved, entry.on, quantity),
                }
            case Shipped(reservation=str(id), reserved=Decimal() as given) | Released(reservation=id, quantity=given):
                return {
                    "reservations": less(self.reservations, id, given),
                    "reserved": plus(self.reserved, entry.on, -given),
                }
        return {}

    def _on_its_way(self, event: Event, entry: Entry) -> Changes:
        match event:
            case Announced(transfer=transfer, from_warehouse=from_warehouse):
                blank = Transit(at=entry.effective_at, from_warehouse=from_warehouse, parts=())
                coming = self.transit.get(transfer, blank).plus(event)
            case Accepted(transfer=transfer) | LostInTransit(transfer=transfer):
                coming = self.transit[transfer].minus(event)
            case Counted(lot=lot):
                return {"counts": (*self.counts, Count(at=entry.effective_at, on=entry.on, lot=lot))}
            case _:
                return {}
        rest = {id: transit for id, transit in self.transit.items() if id != transfer}
        return {"transit": {**rest, transfer: coming} if coming.parts else rest}


def on_hand(event: Event) -> list[tuple[str, Decimal]]:
    """What an event changes on hand, by lot."""
    match event:
        case Received() | ReturnedIn() | Accepted() | CountAdjusted():
            return [(event.lot or "", event.quantity)]
        case Shipped() | WrittenOff() | ReturnedOut() | Dispatched():
            return [(event.lot or "", -event.quantity)]
        case Counted(adjustments=adjustments):
            return [(adjustment.lot or "", adjustment.quantity) for adjustment in adjustments]
    return []
