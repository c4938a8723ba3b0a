"""Commands on stock."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from pydantic import model_validator

from commands.book import Book
from commands.command import Command
from domain.deals import Deal
from domain.money import check_amount
from domain.products import Product
from domain.refusal import Refusal
from domain.stock import Received, Shipped, StockItem, WrittenOff
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


class Movement(Command):
    """What all movements name."""

    product: Id
    warehouse: Id
    quantity: PositiveDecimal
    lot: Id | None = None

    def look_up(self, book: Book) -> tuple[Product, Warehouse, StockItem]:
        place = (self.warehouse, self.product)
        return book.get(Product, self.product), book.get(Warehouse, self.warehouse), book.find(StockItem, *place)


class Receive(Movement, type="stock.receive"):
    """The cost is given for a unit or for all; it is kept for all, half up to the currency's minor unit."""

    unit_cost: NotNegativeDecimal | None = None
    cost: NotNegativeDecimal | None = None
    currency: Currency
    expires_on: Day | None = None
    document: Id | None = None

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
        event = Received(
            product=self.product,
            warehouse=self.warehouse,
            quantity=self.quantity,
            cost=self.total_cost(),
            currency=self.currency,
            lot=self.lot,
            expires_on=self.expires_on,
            document=self.document,
        )
        book.record(item, item.receive(event, product))


class Ship(Movement, type="stock.ship"):
    deal: Id | None = None
    document: Id | None = None

    def execute(self, book: Book) -> None:
        product, warehouse, item = self.look_up(book)
        if self.deal:
            book.get(Deal, self.deal)
        event = Shipped(
            product=self.product,
            warehouse=self.warehouse,
            quantity=self.quantity,
            lot=self.lot,
            deal=self.deal,
            document=self.document,
        )
        book.record(item, item.ship(event, product, warehouse, on=book.on))


class WriteOff(Movement, type="stock.write_off"):
    reason: Name
    note: Text | None = None

    def execute(self, book: Book) -> None:
        product, warehouse, item = self.look_up(book)
        event = WrittenOff(
            product=self.product,
            warehouse=self.warehouse,
            quantity=self.quantity,
            reason=self.reason,
            lot=self.lot,
            note=self.note,
        )
        book.record(item, item.write_off(event, product, warehouse, on=book.on))
