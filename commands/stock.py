"""Commands on stock."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from commands.book import Book
from commands.command import Command
from domain.clients import Client
from domain.deals import Deal
from domain.event import Event
from domain.money import check_amount
from domain.periods import LEDGER
from domain.products import Product
from domain.reasons import Listed, Reasons
from domain.refusal import Refusal, not_found
from domain.stock import Counted, Received, ReturnedIn, ReturnedOut, Shipped, WrittenOff
from domain.stock_item import StockItem
from domain.values import (
    AMOUNT_LIMIT,
    Currency,
    Day,
    Id,
    Name,
    NotNegativeDecimal,
    PositiveDecimal,
    Text,
    minor_units,
)
from domain.warehouses import Warehouse

R = TypeVar("R", ReturnedIn, ReturnedOut)


class OnItem(Command):
    """What all name that moves or promises stock."""

    product: Id
    warehouse: Id

    def look_up(self, book: Book) -> tuple[Product, Warehouse, StockItem]:
        place = (self.warehouse, self.product)
        return book.get(Product, self.product), book.get(Warehouse, self.warehouse), book.find(StockItem, *place)


def enter(book: Book, item: StockItem, *events: Event) -> StockItem:
    """Into the item's stream, with what makes up for them at later counts."""
    for event in events:
        made_up = list(item.absorbed(event, book.on))
        item = book.record(item, event)
        for adjustment, at in made_up:
            item = book.record(item, adjustment, effective_at=at)
    return item


class Movement(OnItem):
    """Without a lot, issues take the lots that expire first, then those that came first."""

    quantity: PositiveDecimal
    lot: Id | None = None


class Receive(Movement, type="stock.receive"):
    """The cost is given for a unit or for all; it is kept for all, half up to the currency's minor unit.

    ``order`` is what it fills, ``transfer`` one that it was lost on.
    """

    unit_cost: NotNegativeDecimal | None = None
    cost: NotNegativeDecimal | None = None
    currency: Currency
    expires_on: Day | None = None
    document: Id | None = None
    transfer: Id | None = None
    order: Id | None = None

    @model_validator(mode="after")
    def _one_cost(self) -> Self:
        if (self.unit_cost is None) == (self.cost is None):
            raise ValueError("give either unit_cost or cost")
        return self

    def total_cost(self) -> Decimal:
        if self.cost is not None:
            check_amount(self.cost, self.currency, "cost")
            return self.cost
        total = (self.unit_cost or Decimal(0)) * self.quantity
        if total >= AMOUNT_LIMIT:
            raise Refusal("invalid", "The cost of all is more than an amount can hold.", field="unit_cost")
        return total.quantize(Decimal(1).scaleb(-minor_units(self.currency)), ROUND_HALF_UP)

    def execute(self, book: Book) -> None:
        product, _, item = self.look_up(book)
        if self.transfer and not book.holder(f"transfer:{self.transfer}"):
            raise not_found("transfer", self.transfer)
        event = Received(
            product=self.product,
            warehouse=self.warehouse,
            quantity=self.quantity,
            cost=self.total_cost(),
            currency=self.currency,
            lot=self.lot,
            expires_on=self.expires_on,
            document=self.document,
            transfer=self.transfer,
            order=self.order,
        )
        enter(book, item, item.receive(event, product, at=book.effective_at))


class Ship(Movement, type="stock.ship"):
    """``reservation`` is the promise that it keeps, as far as that goes. ``client`` need not be told beside a deal."""

    reservation: Id | None = None
    deal: Id | None = None
    client: Id | None = None
    document: Id | None = None

    def execute(self, book: Book) -> None:
        product, warehouse, item = self.look_up(book)
        deal = self._deal(book, item)
        if deal and self.client not in (None, deal.client):
            message = f"The deal {deal.id} is with {deal.client}."
            raise Refusal("invalid", message, field="client", client=deal.client)
        client = deal.client if deal else book.get(Client, self.client).id if self.client else None
        event = Shipped(
            product=self.product,
            warehouse=self.warehouse,
            quantity=self.quantity,
            lot=self.lot,
            deal=deal.id if deal else None,
            document=self.document,
            reservation=self.reservation,
            client=client,
        )
        enter(book, item, *item.ship(event, product, warehouse, on=book.on, at=book.effective_at))

    def _deal(self, book: Book, item: StockItem) -> Deal | None:
        """The one that is named, or that the reservation was made for."""
        promise = item.reservations.get(self.reservation or "")
        id = self.deal or (promise.deal if promise else None)
        return book.get(Deal, id) if id else None


class WriteOff(Movement, type="stock.write_off"):
    """``reason`` is one of the company's list; see ``stock.list_reasons``."""

    reason: Name
    note: Text | None = None

    def execute(self, book: Book) -> None:
        product, warehouse, item = self.look_up(book)
        book.find(Reasons, LEDGER).check(self.reason)
        event = WrittenOff(
            product=self.product,
            warehouse=self.warehouse,
            quantity=self.quantity,
            reason=self.reason,
            lot=self.lot,
            note=self.note,
        )
        enter(book, item, *item.write_off(event, product, warehouse, on=book.on))


class ListReasons(Command, type="stock.list_reasons"):
    """Why stock may be written off from now on. Until the company makes its list, the usual reasons count."""

    reasons: Annotated[list[Name], Field(min_length=1, max_length=200)]

    def execute(self, book: Book) -> None:
        if self.effective_at:
            raise Refusal("invalid", "The list counts from now on.", field="effective_at")
        book.record(book.find(Reasons, LEDGER), Listed(reasons=tuple(dict.fromkeys(self.reasons))))


class Return(Movement):
    """``price`` is that of the whole quantity, in ``currency``, or the book's without one."""

    document: Id
    price: NotNegativeDecimal | None = None
    currency: Currency | None = None

    def returned(self, kind: type[R]) -> R:
        if self.price is not None and self.currency:
            check_amount(self.price, self.currency, "price")
        return kind(
            product=self.product,
            warehouse=self.warehouse,
            quantity=self.quantity,
            document=self.document,
            lot=self.lot,
            price=self.price,
            currency=self.currency,
        )


class ReturnIn(Return, type="stock.return_in"):
    """From a customer; ``document`` is what it had been shipped with."""

    def execute(self, book: Book) -> None:
        product, _, item = self.look_up(book)
        enter(book, item, item.return_in(self.returned(ReturnedIn), product))


class ReturnOut(Return, type="stock.return_out"):
    """To a supplier; ``document`` is what it had been received with."""

    def execute(self, book: Book) -> None:
        product, warehouse, item = self.look_up(book)
        enter(book, item, *item.return_out(self.returned(ReturnedOut), product, warehouse, on=book.on))


class Count(OnItem, type="stock.count"):
    """What was there at the end of the day: of one lot, or without a lot of all together. It stands, whatever becomes
    known later of the days before."""

    counted: NotNegativeDecimal
    lot: Id | None = None

    def execute(self, book: Book) -> None:
        product, warehouse, item = self.look_up(book)
        event = Counted(product=self.product, warehouse=self.warehouse, counted=self.counted, lot=self.lot)
        enter(book, item, item.count(event, product, warehouse, on=book.on))
