"""``grossbuch generations``: what has been filled of each projection, and what may be dropped."""

from dataclasses import asdict
from typing import Annotated

import typer

from api.cli import options
from api.cli.terminal import result, say, table
from api.service import Opening, database
from infra.postgres.generations import Generations

app = typer.Typer(help="Generations of read models.", no_args_is_help=True)


@app.command("list")
def list_(data: options.Data = None, as_json: options.Json = False) -> None:
    """The current generation of each projection, those being filled, and those that are kept: old ones, and refused."""
    with database(options.settings(data), say, Opening.FIND) as found:
        kept = [asdict(each) for each in Generations(found).list()]
    if as_json:
        result({"items": kept})
    else:
        table("Generations", ["projection", "number", "version", "state"], kept)


@app.command("drop")
def drop(
    projection: Annotated[str | None, typer.Argument(help="One projection's only")] = None,
    number: Annotated[int | None, typer.Argument(help="One generation only")] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Drop old and refused generations. One that is being filled is dropped if its number is told; the current one
    never."""
    with database(options.settings(data), say, Opening.FIND) as found:
        generations = Generations(found)
        chosen = [
            each
            for each in generations.list()
            if projection in (None, each.projection)
            and number in (None, each.number)
            and (each.state in ("old", "refused") or (number and each.state == "filling"))
        ]
        for each in chosen:
            generations.drop(each.projection, each.number)
    if as_json:
        result({"dropped": [asdict(each) for each in chosen]})
    else:
        say(f"{len(chosen)} dropped.")
    if number is not None and not chosen:
        raise typer.Exit(1)
