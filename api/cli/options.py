"""Options that commands share, and the settings they make."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from infra.settings import Settings
from infra.telemetry import configure_logs

Data = Annotated[
    Path | None,
    typer.Option(
        help="Directory of an embedded ledger, whether `up` runs on it or not", show_default="the default one"
    ),
]
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
