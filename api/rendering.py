"""Answers as JSON and CSV: decimals as plain strings, times with their offset."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import orjson

RUN = frozenset("=+-@\t\r")
"""A spreadsheet would run what begins so as a formula."""

CSV = "text/csv; charset=utf-8"


def dumps(value: object) -> bytes:
    return orjson.dumps(value, default=plain)


def line(value: object) -> bytes:
    """A whole answer: it ends as lines do."""
    return orjson.dumps(value, default=plain, option=orjson.OPT_APPEND_NEWLINE)


def plain(value: object) -> str:
    if isinstance(value, Decimal):
        return decimal(value)
    raise TypeError(f"no JSON form of {type(value).__name__}")


def decimal(value: Decimal) -> str:
    """Plain notation, whatever arithmetic made of the exponent."""
    return format(value, "f")


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it is shown: a card's facts beside its key, and without what only orders lists."""
    shown = {name: cell for name, cell in row.items() if name not in ("facts", "line")}
    return {**shown, **row["facts"]} if "facts" in row else shown


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, titled: bool = True) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if titled:
        writer.writerow(columns)
    writer.writerows([csv_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def csv_end(next: str | None) -> str:
    """A last line that tells of a list that goes on, for who looks at no header."""
    return to_csv([f"# the list goes on; cursor={next}"], ()) if next else ""


def csv_headers(meta: Mapping[str, Any], next: str | None) -> dict[str, str]:
    """What JSON tells beside the items."""
    headers = {f"Grossbuch-{name.replace('_', '-')}": csv_cell(value) for name, value in meta.items()}
    return {**headers, "Grossbuch-next": next} if next else headers


def csv_cell(cell: object) -> str:
    match cell:
        case str():
            return f"'{cell}" if cell[:1] in RUN else cell
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case Decimal():
            return decimal(cell)
        case datetime():
            return cell.astimezone(UTC).isoformat()
        case dict() | list():
            return dumps(cell).decode()
    return str(cell)
