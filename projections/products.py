"""Product cards."""

from pydantic import BaseModel

from domain.products import Registered
from projections.cards import card_queries, patch
from projections.projection import Projection
from projections.shapes import Card, Fact, Row

product = Card(
    "product",
    key="product",
    facts={
        "name": Fact("text", "As people call it."),
        "unit": Fact("text", "In which it is counted."),
        "scale": Fact("integer", "Decimal places of a quantity."),
        "costing": Fact("text", "How issues are valued."),
        "expires": Fact("boolean", "Its lots have an expiry date."),
        "attributes": Fact("jsonb", "Facts of your own, by name."),
    },
)


@product.on(Registered)
def registered(e: Registered) -> Row:
    return patch(e.product, e, "name", "unit", "scale", "costing", "expires", "attributes")


class ProductCard(BaseModel):
    product: str
    name: str
    unit: str
    scale: int
    costing: str
    expires: bool
    attributes: dict[str, str]


projection = Projection("products", 2, (product,))
queries = card_queries("/v1/products", product, projection, ProductCard)
