"""Commands on transfers between warehouses."""

from decimal import Decimal
from typing import Self

from pydantic import model_validator

from commands.book import Book
from commands.command import Command
from commands.stock import enter
from domain.products import Product
from domain.stock_item import StockItem
from domain.transfers import Dispatched
from domain.values import Id, NotNegativeDecimal, PositiveDecimal
from domain.warehouses import Warehouse


class Dispatch(Command, type="stock.dispatch"):
    """Leaves one warehouse and is on its way to the other. Without a lot, those go that expire first or came first."""

    transfer: Id | None = None
    product: Id
    from_warehouse: Id
    to_warehouse: Id
    quantity: PositiveDecimal
    lot: Id | None = None

    @model_validator(mode="after")
    def _two_warehouses(self) -> Self:
        if self.from_warehouse == self.to_warehouse:
            raise ValueError("from_warehouse and to_warehouse are the same")
        return self

    def execute(self, book: Book) -> None:
        product, source = book.get(Product, self.product), book.get(Warehouse, self.from_warehouse)
        book.get(Warehouse, self.to_warehouse)
        item = book.find(StockItem, self.from_warehouse, self.product)
        there = book.find(StockItem, self.to_warehouse, self.product)
        wanted = Dispatched(
            transfer=self.transfer or book.new_id(),
            product=self.product,
            warehouse=self.from_warehouse,
            to_warehouse=self.to_warehouse,
            quantity=self.quantity,
            lot=self.lot,
        )
        claim = f"transfer:{wanted.transfer}"
        for sent in item.dispatch(wanted, product, source, on=book.on):
            announced = item.announce(sent)
            item = enter(book, item, sent)
            there = book.record(there, announced, claim)
            claim = ""


class Accept(Command, type="stock.accept"):
    """``quantity`` has arrived, ``loss`` is not going to: written off from what was on its way."""

    transfer: Id
    quantity: NotNegativeDecimal
    loss: NotNegativeDecimal = Decimal(0)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.quantity + self.loss:
            raise ValueError("quantity and loss are both 0")
        return self

    def execute(self, book: Book) -> None:
        item = book.owner(StockItem, "transfer", self.transfer)
        product = book.get(Product, item.product)
        enter(book, item, *item.accept(self.transfer, self.quantity, self.loss, product, at=book.effective_at))
