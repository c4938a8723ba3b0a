"""Restatements: which figures of days that were over have changed, from what to what, because of which event.

An event is backdated if its effective day was over, in the ledger's time zone, when it was recorded: only then could
anybody have read a figure of that day's end without it.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from domain.values import Currency, Id
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


def _query(
    area: str, projection: str, parameters: type[Restated], number: Literal["numeric", "bigint"], what: str
) -> Query:
    dimensions = tuple(name for name in parameters.model_fields if name not in Restated.model_fields)
    shown = int if number == "bigint" else Decimal
    cells: dict[str, Any] = {"position": (int, ...), "caused_by": (str, ...), "on": (date, ...)}
    cells |= dict.fromkeys((*dimensions, "figure"), (str, ...)) | {"was": (shown, ...), "is": (shown, ...)}
    end = RESTATED.replace("{cell}", ", ".join((*dimensions, "figure"))).replace("{number}", number)
    return Query(
        f"/v1/{area}/restatements",
        projection,
        f"{area}_restatements",
        parameters,
        create_model(f"{area.capitalize()}Restatement", **cells),
        what,
        order=("position", *dimensions, "figure"),
        names={"restated": end},
        explained_by="each restatement is what one event did, and names it",
    )


queries = (
    _query("stock", "stock", Stock, "numeric", "What is different about stock on days that were over"),
    _query(
        "receivables", "receivables", Receivables, "numeric", "What is different about debts on days that were over"
    ),
    _query("funnel", "deals", Funnel, "bigint", "What is different about where deals stood on days that were over"),
)
