"""Balances day by day, from the changes of each day. Every day counts, not only the last one."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from itertools import accumulate

from domain.values import ZERO

Days = Mapping[date, Decimal]
"""By day: by how much a balance changed. Days are the ledger's."""


def least(days: Days, since: date, until: date | None = None) -> tuple[date, Decimal]:
    """The first day from ``since`` on, and before ``until``, with the least balance at its end; and how much it is."""
    opening = sum((change for day, change in days.items() if day <= since), ZERO)
    later = sorted((day, change) for day, change in days.items() if since < day and (until is None or day < until))
    balances = accumulate((change for _, change in later), initial=opening)
    return min(zip([since, *(day for day, _ in later)], balances, strict=True), key=lambda at: at[1])


def balance(days: Days, on: date) -> Decimal:
    """At the end of a day."""
    return sum((change for day, change in days.items() if day <= on), ZERO)


def plus(days: Days, on: date, change: Decimal) -> dict[date, Decimal]:
    return {**days, on: days.get(on, ZERO) + change}


def added(parts: Iterable[Days]) -> dict[date, Decimal]:
    """The days of several together."""
    total: dict[date, Decimal] = {}
    for days in parts:
        for day, change in days.items():
            total[day] = total.get(day, ZERO) + change
    return total
