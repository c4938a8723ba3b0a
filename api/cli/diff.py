"""``grossbuch diff``: what the figures of a day were by what was known at one time, and are by what was at another."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from api.cli import options
from api.cli.terminal import out, result, say, table
from api.querying import moment_of
from api.service import Opening, open_service
from infra.postgres.hindsight import Changed, changes
from infra.postgres.queries import Queries
from projections.query import AsOf, KnownAt

KNOWN_AT: TypeAdapter[int | datetime] = TypeAdapter(KnownAt)
AS_OF: TypeAdapter[Any] = TypeAdapter(AsOf)


def diff(
    known_at: Annotated[list[str], typer.Option("--known-at", help="A position or a time; to be given twice")],
    names: options.Names = None,
    as_of: Annotated[str | None, typer.Option(help="A date (to its end) or a time", show_default="now")] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Which cells of registers, histories and cards differ between what was known at two positions or times.
    Status 3 if something differs."""
    if len(known_at) != 2:
        raise typer.BadParameter("say --known-at twice")
    told = [_read(KNOWN_AT, "--known-at", text) for text in known_at]
    day = _read(AS_OF, "--as-of", as_of) if as_of else None
    with open_service(options.settings(data), say, opening=Opening.FIND) as service:
        before, after = (_position(service.queries, each) for each in told)
        moment, _ = moment_of(service.queries, service.ledger, day)
        found = list(changes(service.queries, options.projections(names), before, after, moment))
    rows = [_row(each) for each in found]
    if as_json:
        result({"known_at": [before, after], "as_of": day or moment, "items": rows})
    else:
        _show(f"Known at {before} and at {after}, as of {day or moment}", rows)
    if rows:
        raise typer.Exit(3)


def _read(form: TypeAdapter[Any], option: str, text: str) -> Any:
    try:
        return form.validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(f"{option} {text}: {error.errors()[-1]['msg']}") from error


def _position(queries: Queries, told: int | datetime) -> int:
    return min(told, queries.log_size()) if isinstance(told, int) else queries.position_at(told)


def _row(each: Changed) -> Mapping[str, Any]:
    place = {"projection": each.projection, "table": each.table, "cell": each.cell}
    return {**place, "figure": each.figure, "was": each.was, "is": each.is_}


def _show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        shown = [{**row, **{name: _words(row[name]) for name in ("cell", "was", "is")}} for row in rows]
        table(title, ["table", "cell", "figure", "was", "is"], shown)
    else:
        out.print(f"{title}: nothing differs.", markup=False, soft_wrap=True)


def _words(told: Mapping[str, str | int | None] | str | None) -> str | None:
    """Of what a history's row says, if that is nothing at all, that it is said."""
    if isinstance(told, Mapping):
        return ", ".join(f"{name} {value}" for name, value in told.items() if value is not None) or "–"
    return told
