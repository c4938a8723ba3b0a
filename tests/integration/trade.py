"""Words of the tests about months: a little trade over three of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from domain.stock import Received, Shipped
from infra.postgres.months import Months
from projections.stock import stock
from tests.properties.histories import Step


def received(quantity: int, at: str) -> Step:
    event = Received(product="P1", warehouse="W1", quantity=Decimal(quantity), cost=Decimal(1), currency="EUR")
    return Step("P1", event, datetime.fromisoformat(at).astimezone(UTC))


def shipped(quantity: int, at: str) -> Step:
    event = Shipped(product="P1", warehouse="W1", quantity=Decimal(quantity))
    return Step("P1", event, datetime.fromisoformat(at).astimezone(UTC))


TRADE = [
    received(10, "2026-01-05T12:00:00+00:00"),
    shipped(4, "2026-01-31T23:59:59.999999+00:00"),
    received(5, "2026-02-01T00:00:00+00:00"),
    shipped(3, "2026-02-20T12:00:00+00:00"),
    received(7, "2026-03-10T12:00:00+00:00"),
]


def states(months: Months) -> Mapping[str, str]:
    return {each.month: each.state for each in months.list([stock])}
