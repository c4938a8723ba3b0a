"""Transfers: stock on its way from one warehouse to another.

What is sent leaves one item and is announced to another, in one commit; there it arrives, in parts maybe, or is lost.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.refusal import Refusal, not_found, out_of_order
from domain.values import ZERO


class Dispatched(Event, type="stock.dispatched"):
    """Has left for another warehouse."""

    transfer: str
    product: str
    warehouse: str
    to_warehouse: str
    quantity: Decimal
    lot: str | None = None


class Announced(Event, type="stock.announced"):
    """Is on its way to this warehouse: the other side of ``stock.dispatched``."""

    transfer: str
    product: str
    warehouse: str
    from_warehouse: str
    quantity: Decimal
    lot: str | None = None
    expires_on: date | None = None


class Accepted(Event, type="stock.accepted"):
    """Has arrived."""

    transfer: str
    product: str
    warehouse: str
    from_warehouse: str
    quantity: Decimal
    lot: str | None = None


class LostInTransit(Event, type="stock.lost_in_transit"):
    """Will not arrive: written off from what was on its way."""

    transfer: str
    product: str
    warehouse: str
    from_warehouse: str
    quantity: Decimal
    lot: str | None = None


class Coming(BaseModel):
    """A lot of a transfer, as much of it as is on its way."""

    model_config = ConfigDict(frozen=True)

    quantity: Decimal
    lot: str | None = None
    expires_on: date | None = None


class Transit(BaseModel):
    """A transfer as the receiving item sees it."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    from_warehouse: str
    parts: tuple[Coming, ...]

    @property
    def open(self) -> Decimal:
        return sum((part.quantity for part in self.parts), ZERO)

    def plus(self, event: Announced) -> "Transit":
        part = Coming(quantity=event.quantity, lot=event.lot, expires_on=event.expires_on)
        return self.model_copy(update={"parts": (*self.parts, part)})

    def minus(self, event: Accepted | LostInTransit) -> "Transit":
        parts = (
            part.model_copy(update={"quantity": part.quantity - event.quantity}) if part.lot == event.lot else part
            for part in self.parts
        )
        return self.model_copy(update={"parts": tuple(part for part in parts if part.quantity)})

    def expiry(self, lot: str | None) -> date | None:
        return next((part.expires_on for part in self.parts if part.lot == lot), None)

    def settle(
        self, transfer: str, product: str, warehouse: str, arrived: Decimal, lost: Decimal
    ) -> Iterator[Accepted | LostInTransit]:
        """What arrived and what was lost, lot by lot as they were sent."""
        for part in self.parts:
            here = min(arrived, part.quantity)
            gone = min(lost, part.quantity - here)
            arrived, lost = arrived - here, lost - gone
            for kind, quantity in ((Accepted, here), (LostInTransit, gone)):
                if quantity:
                    yield kind(
                        transfer=transfer,
                        product=product,
                        warehouse=warehouse,
                        from_warehouse=self.from_warehouse,
                        quantity=quantity,
                        lot=part.lot,
                    )


def on_its_way(transit: dict[str, Transit], transfer: str, quantity: Decimal, at: datetime) -> Transit:
    """The transfer, of which so much must be on its way still."""
    coming = transit.get(transfer)
    if coming is None:
        raise not_found("open transfer", transfer)
    if at < coming.at:
        raise out_of_order("transfer", transfer, coming.at, at)
    if coming.open < quantity:
        raise Refusal(
            "transfer_exceeded",
            f"Of the transfer {transfer} {coming.open} is on its way, less than {quantity}.",
            transfer=transfer,
            open=coming.open,
            shortfall=quantity - coming.open,
        )
    return coming
