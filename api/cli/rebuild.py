"""``grossbuch rebuild``: drop what a projection has, and fill it again from the events."""

from time import perf_counter
from typing import Annotated

import typer

from api.cli import options
from api.cli.terminal import progress, result, say
from api.service import open_service


def rebuild(
    names: options.Names = None,
    all_: Annotated[bool, typer.Option("--all", help="All of them")] = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Drop read models and fill them again. Readers see them grow; nothing of the book is touched."""
    if not names and not all_:
        raise typer.BadParameter("name projections, or say --all")
    chosen = {projection.name for projection in options.projections(None if all_ else names)}
    with open_service(options.settings(data), say) as service:
        size = service.queries.log_size()
        started = perf_counter()
        for projector in service.projectors:
            if projector.projection.name in chosen:
                with progress(f"Rebuilding {projector.projection.name}", size, shown=not as_json) as advance:
                    projector.rebuild(size, advance)
        seconds = perf_counter() - started
    if as_json:
        result({"rebuilt": sorted(chosen), "events": size, "seconds": round(seconds, 3)})
