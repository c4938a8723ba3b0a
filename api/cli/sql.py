"""``grossbuch sql``: psql as the role that only reads, whether `up` runs or not."""

import shlex
from typing import Annotated

import typer

from api.cli import options
from api.cli.terminal import say
from api.reading import psql, reading


def sql(
    arguments: Annotated[list[str] | None, typer.Argument(help="psql's own, after --")] = None,
    shown: Annotated[bool, typer.Option("--print", help="Only the line by which to connect")] = False,
    data: options.Data = None,
) -> None:
    """Read in SQL: open psql on the read models, as a role that writes nothing."""
    settings = options.settings(data)
    with reading(settings, say) as found:
        if shown:
            typer.echo(shlex.join(["psql", found.shown]))
            return
        status = psql(settings, found.address, arguments or [])
    raise typer.Exit(status)
