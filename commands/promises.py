"""Commands on promises: reservations of stock, and orders of more."""

from commands.book import Book
from commands.command import Command
from commands.stock import OnItem
from domain.deals import Deal
from domain.promises import Ordered, Reserved
from domain.stock_item import StockItem
from domain.values import Day, Id, PositiveDecimal


class Reserve(OnItem, type="stock.reserve"):
    """Kept for somebody, until it is shipped or released."""

    reservation: Id | None = None
    quantity: PositiveDecimal
    deal: Id | None = None

    def execute(self, book: Book) -> None:
        product, warehouse, item = self.look_up(book)
        if self.deal:
            book.get(Deal, self.deal)
        event = Reserved(
            reservation=self.reservation or book.new_id(),
            product=self.product,
            warehouse=self.warehouse,
            quantity=self.quantity,
            deal=self.deal,
        )
        book.record(item, item.reserve(event, product, warehouse, on=book.on), f"reservation:{event.reservation}")


class Release(Command, type="stock.release"):
    """What is left of a reservation is free again."""

    reservation: Id

    def execute(self, book: Book) -> None:
        item = book.owner(StockItem, "reservation", self.reservation)
        book.record(item, item.release(self.reservation, at=book.effective_at))


class Order(OnItem, type="stock.order"):
    """From a supplier. ``stock.receive`` with this ``order`` fills it."""

    order: Id | None = None
    quantity: PositiveDecimal
    expected_on: Day | None = None
    document: Id | None = None

    def execute(self, book: Book) -> None:
        product, _, item = self.look_up(book)
        event = Ordered(
            order=self.order or book.new_id(),
            product=self.product,
            warehouse=self.warehouse,
            quantity=self.quantity,
            expected_on=self.expected_on,
            document=self.document,
        )
        book.record(item, item.order(event, product), f"order:{event.order}")


class CancelOrder(Command, type="stock.cancel_order"):
    """What is left of an order will not come."""

    order: Id

    def execute(self, book: Book) -> None:
        item = book.owner(StockItem, "order", self.order)
        book.record(item, item.cancel_order(self.order, at=book.effective_at))
