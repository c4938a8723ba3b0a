"""``grossbuch explain``: the events behind a figure, and that they add up to it."""

import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from api.cli import options
from api.cli.terminal import out, result, say, table
from api.explaining import Explained, read_figure
from api.explaining import explain as explained
from api.rendering import csv_cell, dumps, to_csv
from api.service import Opening, open_service
from domain.refusal import Refusal

HEADS = ("position", "day", "type", "stream", "actor")


def explain(
    figure: Annotated[str, typer.Argument(help="Path and parameters of a query, as over HTTP")],
    cell: Annotated[str, typer.Argument(help="The figure's name in the answer, such as on_hand or won.amount")],
    data: options.Data = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Rows in CSV to standard output")] = False,
    as_json: options.Json = False,
) -> None:
    """The events behind a figure, each with what it contributed. Status 3 if they do not add up to it."""
    asked = read_figure(figure)
    with open_service(options.settings(data), say, opening=Opening.FIND) as service:
        found = explained(service.queries, service.ledger, asked, cell)
        time_zone = ZoneInfo(service.ledger.time_zone)
    if found is None:
        raise Refusal("not_found", f"There is nothing at {figure}.")
    if as_json:
        result(found.body)
    elif as_csv:
        sys.stdout.write(to_csv(found.columns, found.items))
    else:
        _show(found, figure, cell, time_zone)
    if not found.adds_up:
        raise typer.Exit(3)


def _show(found: Explained, figure: str, cell: str, time_zone: ZoneInfo) -> None:
    told = ("part", "contribution", "total") if found.parts is not None else ("contribution", "total")
    heads = (*HEADS, *told) if found.is_number else (*HEADS, "contribution")
    table(f"{cell} of {figure}", heads, list(_rows(found, time_zone)))
    out.print(_sentence(found, cell), markup=False, soft_wrap=True)


def _rows(found: Explained, time_zone: ZoneInfo) -> Iterator[Mapping[str, Any]]:
    """Each with the day on which it counts, and the running total, of its part if there are parts."""
    totals: dict[str, Decimal | int] = {}
    for item in found.items:
        part = item.get("part", "")
        if found.is_number:
            totals[part] = totals.get(part, 0) + item["contribution"]
        day = item["effective_at"] and item["effective_at"].astimezone(time_zone).date()
        yield {**item, "day": day, "total": totals.get(part)}


def _sentence(found: Explained, cell: str) -> str:
    if not found.is_number:
        return f"{cell} is {found.value if isinstance(found.value, str) else dumps(found.value).decode()}."
    value = "none" if found.value is None else csv_cell(found.value)
    if found.parts is not None:
        parts = ", ".join(f"{part} {csv_cell(sum)}" for part, sum in found.parts.items())
        return f"{cell} is {value}: it is no sum, and made of {parts}."
    many = f"{len(found.items)} contributions" if len(found.items) != 1 else "one contribution"
    if found.adds_up:
        return f"{cell} is {value}: {many} add{'' if len(found.items) != 1 else 's'} up to it exactly."
    return f"{cell} is {value}, and {many} add up to {csv_cell(found.total)}: run `grossbuch check`."
