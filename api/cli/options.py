"""Options that commands share, and the settings they make."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from prometheus_client import start_http_server
from pydantic import ValidationError

from infra.settings import Settings
from infra.telemetry import configure_logs
from projections import PROJECTIONS
from projections.projection import Projection

Data = Annotated[
    Path | None,
    typer.Option(
        help="Directory of an embedded ledger, whether `up` runs on it or not", show_default="the default one"
    ),
]
New = Annotated[bool, typer.Option("--new", help="Make the book, where there is none")]
Names = Annotated[list[str] | None, typer.Argument(help="Projections; see /v1/projections")]
MetricsPort = Annotated[int | None, typer.Option(min=0, max=65535, help="Where to show /metrics")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object to standard output, no progress bar")]


def settings(data: Path | None, **more: Any) -> Settings:
    """The environment's settings, overridden by what was said on the command line."""
    given = {name: value for name, value in more.items() if value is not None}
    try:
        found = Settings(**given)
    except ValidationError as error:
        wrong = [f"GROSSBUCH_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        raise typer.BadParameter("; ".join(wrong)) from error
    if data is not None:
        found = found.model_copy(update={"data": data.absolute(), "database_url": None})
    configure_logs(found.log_level, json=found.log_json)
    return found


def projections(names: Sequence[str] | None) -> Sequence[Projection]:
    """Those that are named; all if none is."""
    by_name = {projection.name: projection for projection in PROJECTIONS}
    if unknown := set(names or ()) - by_name.keys():
        there = ", ".join(sorted(by_name))
        raise typer.BadParameter(f"no projection {', '.join(sorted(unknown))}; there are {there}")
    return [by_name[name] for name in dict.fromkeys(names or by_name)]


def show_metrics(settings: Settings) -> None:
    """On the port that was asked for, at every address of this machine."""
    if settings.metrics_port is not None:
        start_http_server(settings.metrics_port)
