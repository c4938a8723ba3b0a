"""Commands on warehouses."""

from commands.book import Book
from commands.command import Command
from domain.values import Id, Name
from domain.warehouses import NegativeStock, Registered, Warehouse


class Register(Command, type="warehouse.register"):
    warehouse: Id | None = None
    name: Name
    negative_stock: NegativeStock

    def execute(self, book: Book) -> None:
        warehouse = book.begin_new(Warehouse, self.warehouse)
        event = Registered(warehouse=warehouse.id, name=self.name, negative_stock=self.negative_stock)
        book.record(warehouse, warehouse.register(event))
