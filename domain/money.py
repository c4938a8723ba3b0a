"""Amounts and quantities keep the places that their currency or product has: a finer one is refused, not rounded."""

from decimal import Decimal

from domain.refusal import Refusal
from domain.values import minor_units, scale_of


def check_amount(amount: Decimal, currency: str, field: str = "amount") -> None:
    if scale_of(amount) > (places := minor_units(currency)):
        raise Refusal(
            "invalid",
            f"{field} {amount} has more decimal places than {currency} ({places}).",
            field=field,
            places=places,
        )


def check_quantity(quantity: Decimal, product: str, scale: int) -> None:
    if scale_of(quantity) > scale:
        raise Refusal(
            "invalid",
            f"quantity {quantity} has more decimal places than the product {product} ({scale}).",
            field="quantity",
            places=scale,
        )
