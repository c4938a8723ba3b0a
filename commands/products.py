"""Commands on products."""

from typing import Annotated

from pydantic import Field

from commands.book import Book
from commands.command import Command
from domain.products import Costing, Product, Registered
from domain.values import Attributes, Id, Name


class Register(Command, type="product.register"):
    product: Id | None = None
    name: Name
    unit: Name
    scale: Annotated[int, Field(ge=0, le=6)]
    costing: Costing
    expires: bool = False
    attributes: Attributes = {}

    def execute(self, book: Book) -> None:
        product = book.begin_new(Product, self.product)
        event = Registered(
            product=product.id,
            name=self.name,
            unit=self.unit,
            scale=self.scale,
            costing=self.costing,
            expires=self.expires,
            attributes=self.attributes,
        )
        book.record(product, product.register(event))
