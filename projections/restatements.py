"""Restatements: which figures of days that were over have changed, from what to what, because of which event.

An event is backdated if its effective day was over, in the ledger's time zone, when it was recorded: only then could
anybody have read a figure of that day's end without it.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, create_model

from domain.values import Currency, Id
from projections.funnel import Money
from projections.query import SQL, ListParameters, Query

#: What became of movements of which some are backdated: the end of each of the three.
RESTATED = (SQL / "restated.sql").read_text(encoding="utf-8")


class Restated(ListParameters):
    after_: Annotated[
        int, Field(alias="after", ge=0, le=2**62, description="Because of events beyond this position")
    ] = 0


class Stock(Restated):
    product: Id | None = None
    warehouse: Id | None = None


class Receivables(Restated):
    client: Id | None = None
    counterparty: Id | None = None
    currency: Currency | None = None


class Funnel(Restated):
    pipeline: Id | None = None
    stage: Annotated[Id | None, Field(description="This stage or outcome only")] = None
    currency: Money = None


def _query(area: str, projection: str, parameters: type[Restated], dimensions: Mapping[str, Any], what: str) -> Query:
    cells = {"position": int, "caused_by": str, "on": date, **dimensions, "figure": str, "was": Decimal, "is": Decimal}
    fields: dict[str, Any] = {name: (type, ...) for name, type in cells.items()}
    return Query(
        f"/v1/{area}/restatements",
        projection,
        f"{area}_restatements",
        parameters,
        create_model(f"{area.capitalize()}Restatement", **fields),
        f"What is different about {what} on days that were over",
        order=("position", *dimensions, "figure"),
        names={"restated": RESTATED.replace("{cell}", ", ".join((*dimensions, "figure")))},
        explained_by="each restatement is what one event did, and names it",
    )


_STOCK = {"product": str, "warehouse": str}
_DEBT = {"client": str, "counterparty": str, "currency": str}
_STANDING = {"pipeline": str, "stage": str, "currency": str | None}
queries = (
    _query("stock", "stock", Stock, _STOCK, "stock"),
    _query("receivables", "receivables", Receivables, _DEBT, "debts"),
    _query("funnel", "deals", Funnel, _STANDING, "where deals stood"),
)
