"""``grossbuch rebuild``: drop what a projection has, and fill it again from the events."""

from time import perf_counter
from typing import Annotated

import typer

from api.cli import options
from api.cli.terminal import progress, result, say
from api.service import open_service
from projections import PROJECTIONS


def rebuild(
    names: Annotated[list[str] | None, typer.Argument(help="Projections; see /v1/projections")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All of them")] = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Drop read models and fill them again. Readers see them grow; nothing of the book is touched."""
    known = {projection.name for projection in PROJECTIONS}
    chosen = known if all_ else set(names or ())
    if unknown := chosen - known:
        raise typer.BadParameter(f"no projection {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    if not chosen:
        raise typer.BadParameter("name projections, or say --all")
    with open_service(options.settings(data), say) as service:
        size = service.queries.log_size()
        started = perf_counter()
        for projector in service.projectors:
            if projector.projection.name in chosen:
                with progress(f"Rebuilding {projector.projection.name}", size, shown=not as_json) as advance:
                    projector.rebuild(advance)
        seconds = perf_counter() - started
    if as_json:
        result({"rebuilt": sorted(chosen), "events": size, "seconds": round(seconds, 3)})
