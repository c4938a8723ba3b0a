"""Classes of clients by what they brought in a period: ABC by size, XYZ by steadiness, BCG by growth and size.

What each class means: docs/reference/figures.md.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo, computed_field, create_model, field_validator

from domain.values import Currency, WireDecimal
from projections.explanation import Explanation
from projections.query import ListParameters, Period, Query, comma_separated

Method = Literal["abc", "xyz", "bcg"]
Measure = Literal["sales", "payments"]
Bounds = Annotated[list[WireDecimal], Field(min_length=2, max_length=2), BeforeValidator(comma_separated)]

DEFAULTS: dict[Method, tuple[int, int]] = {"abc": (80, 95), "xyz": (10, 25), "bcg": (10, 50)}


class Classes(Period, ListParameters):
    method: Annotated[Method, Field(description="By size, by steadiness, or by growth and size")]
    measure: Measure
    currency: Annotated[Currency | None, Field(description="Default: the book's")] = None
    bounds: Annotated[
        Bounds | None,
        Field(description="Two percentages; default: abc 80,95; xyz 10,25; bcg 10,50 (growth, share)"),
    ] = None

    @field_validator("bounds")
    @classmethod
    def _in_reach(cls, bounds: list[Decimal] | None, info: ValidationInfo) -> list[Decimal] | None:
        """Growth may be bounded below nothing, and says nothing of share."""
        if bounds and info.data.get("method") == "bcg":
            if not 0 <= bounds[1] <= 100:
                raise ValueError("the bound of share must be from 0 to 100")
        elif bounds and not 0 <= bounds[0] <= bounds[1]:
            raise ValueError("must be two percentages, the smaller one first")
        return bounds

    @computed_field
    def lower(self) -> Decimal:
        return self.bounds[0] if self.bounds else Decimal(DEFAULTS[self.method][0])

    @computed_field
    def upper(self) -> Decimal:
        return self.bounds[1] if self.bounds else Decimal(DEFAULTS[self.method][1])

    @computed_field
    def months(self) -> int:
        """Those that the period touches."""
        return _month(self.to) - _month(self.from_) + 1

    @computed_field
    def before(self) -> date:
        """First day of the period of the same length before: as many whole months if it is of whole ones, else days."""
        if self.from_.day == 1 and (self.to + timedelta(days=1)).day == 1:
            year, month = divmod(2 * _month(self.from_) - _month(self.to) - 1, 12)
            return date(year, month + 1, 1)
        return self.from_ - (self.to - self.from_) - timedelta(days=1)


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


_row: dict[str, Any] = {
    "rank": (int, ...),
    "client": (str, ...),
    "currency": (str, ...),
    "measure": (Decimal, ...),
    "share": (Decimal | None, ...),
    "share_before": (Decimal | None, ...),
    "variation": (Decimal | None, ...),
    "before": (Decimal | None, ...),
    "growth": (Decimal | None, ...),
    "class": (Literal["A", "B", "C", "X", "Y", "Z", "star", "cash_cow", "question_mark", "dog"], ...),
}
ClassRow: type[BaseModel] = create_model("ClassRow", **_row)

queries = (
    Query(
        "/v1/clients/classes",
        "receivables",
        "classes",
        Classes,
        ClassRow,
        "Clients by class: ABC, XYZ, BCG",
        order=("rank",),
        explained_by=Explanation(
            keys=("client",),
            sums=("measure", "before"),
            ratios={
                "share": ("measure", "whole"),
                "share_before": ("larger", "whole"),
                "variation": ("measure",),
                "growth": ("measure", "before"),
            },
            apart={"variation": "month"},
        ),
    ),
)
