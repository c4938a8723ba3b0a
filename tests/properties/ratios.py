"""What a reader makes of the parts of a figure that is no sum: the figure itself, by hand."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import Any

DAY = 86400

Parts = Mapping[str, Any]
Row = Mapping[str, Any]


def rounded(exact: Fraction | None, places: int = 4) -> Decimal | None:
    """Half away from zero."""
    if exact is None:
        return None
    scaled = abs(exact) * 10**places
    whole = int(scaled + Fraction(1, 2))
    return Decimal(whole if exact >= 0 else -whole).scaleb(-places)


def over(numerator: Any, denominator: Any) -> Fraction | None:
    return Fraction(numerator) / Fraction(denominator) if denominator else None


def share(part: Any, whole: Any) -> Fraction | None:
    return over(part, whole) if whole > 0 else None


def percentile(spans: Sequence[Any], tenths: int) -> Fraction | None:
    """Interpolated, in days."""
    if not spans:
        return None
    sizes = sorted(map(Fraction, spans))
    place = Fraction(tenths * (len(sizes) - 1), 10)
    low = int(place)
    high = min(low + 1, len(sizes) - 1)
    return (sizes[low] + (sizes[high] - sizes[low]) * (place - low)) / DAY


def days(seconds: Any, many: Any) -> Fraction | None:
    return over(seconds, many * DAY)


def growth(parts: Parts) -> Fraction | None:
    return over(parts["measure"] - parts["before"], parts["before"]) if parts["before"] > 0 else None


def root(square: Fraction) -> Fraction:
    """Exact where it can be, and to forty places."""
    return Fraction(isqrt(int(square * 10**80)), 10**40)


def variation(months: Sequence[Any]) -> Fraction | None:
    """Population standard deviation over the mean: both times as many as there are months."""
    amounts = [Fraction(month) for month in months]
    whole = sum(amounts, Fraction())
    spread = len(amounts) * sum(amount * amount for amount in amounts) - whole * whole
    return over(root(spread), abs(whole))


#: By the figure's name: from its parts, all its contributions, and the row that it is in.
RATIOS: Mapping[str, Callable[[Parts, Sequence[Any], Row], Fraction | None]] = {
    "rate": lambda parts, _, __: over(parts["won"], parts["closed"]),
    "conversion": lambda parts, _, __: over(parts["won"], parts["opened"]),
    "step_conversion": lambda parts, _, __: over(parts["next"], parts["reached"]),
    "mean_days": lambda parts, _, __: days(parts["seconds"], parts.get("visits", parts.get("deals"))),
    "per_deal_mean_days": lambda parts, _, __: days(parts["seconds"], parts["deals"]),
    "median_days": lambda _, spans, __: percentile(spans, 5),
    "p90_days": lambda _, spans, __: percentile(spans, 9),
    "dso_net": lambda parts, _, row: over(parts["balance"] * row["days"], parts["sales"]),
    "dso_gross": lambda parts, _, row: over(parts["gross"] * row["days"], parts["sales"]),
    "share": lambda parts, _, __: share(parts["measure"], parts["whole"]),
    "share_before": lambda parts, _, __: share(parts["larger"], parts["whole"]),
    "growth": lambda parts, _, __: growth(parts),
    "variation": lambda parts, _, __: variation([*parts.values()]),
}
PLACES = {"dso_net": 2, "dso_gross": 2}


def by_hand(figure: str, parts: Parts, contributions: Sequence[Any], row: Row) -> Decimal | None:
    return rounded(RATIOS[figure](parts, contributions, row), PLACES.get(figure, 4))
