"""``grossbuch quarantine``: the streams that a projection could not take, what waits of them, and another try."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from api.cli import options
from api.cli.terminal import out, result, say, table
from api.service import Opening, database
from infra.postgres.quarantine import Quarantine
from infra.postgres.read_models import PostgresReadModels
from infra.settings import Settings
from projections import PROJECTIONS

app = typer.Typer(help="Streams that a projection could not take.", no_args_is_help=True)

SENTENCE = "{projection} {stream}: {waiting} wait, from version {version} at position {position} on: {error}"
Projection = Annotated[str, typer.Argument(help="As in the list")]
Stream = Annotated[str, typer.Argument(help="As in the list, e.g. deal-D1")]


@app.command("list")
def list_(data: options.Data = None, as_json: options.Json = False) -> None:
    """What is parked, with the error, oldest first. Status 3 if anything is."""
    with _quarantine(options.settings(data)) as quarantine:
        parked = [asdict(each) for each in quarantine.list()]
    if as_json:
        result({"items": parked})
    elif parked:
        for each in parked:
            out.print(SENTENCE.format(**each), markup=False, soft_wrap=True)
    else:
        say("Nothing is parked.")
    if parked:
        raise typer.Exit(3)


@app.command("show")
def show(projection: Projection, stream: Stream, data: options.Data = None, as_json: options.Json = False) -> None:
    """The events of a stream that wait, in order."""
    with _quarantine(options.settings(data)) as quarantine:
        events = [event._asdict() for event in quarantine.show(projection, stream)]
    if as_json:
        result({"items": events})
    elif events:
        table(stream, ["position", "version", "type", "effective_at", "payload"], events)
    else:
        say(f"{projection} has not parked {stream}.")
    if not events:
        raise typer.Exit(1)


@app.command("retry")
def retry(
    projection: Annotated[str | None, typer.Argument(help="One projection's only")] = None,
    stream: Annotated[str | None, typer.Argument(help="One stream only")] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Take what waits, in order. What still cannot be taken goes on waiting: status 1."""
    by_name = {each.name: each for each in PROJECTIONS}
    tried = []
    with _quarantine(options.settings(data)) as quarantine:
        for each in quarantine.list(projection):
            if stream in (None, each.stream) and each.projection in by_name:
                done = quarantine.retry(by_name[each.projection], each.stream)
                tried.append({"projection": each.projection, "stream": each.stream, **asdict(done)})
    if as_json:
        result({"items": tried})
    else:
        for one in tried:
            out.print(f"{one['projection']} {one['stream']}: {one['error'] or 'goes on'}", markup=False)
    if any(one["error"] for one in tried):
        raise typer.Exit(1)


@contextmanager
def _quarantine(settings: Settings) -> Iterator[Quarantine]:
    with database(settings, say, Opening.FIND) as found, closing(PostgresReadModels(found)) as read_models:
        yield Quarantine(read_models)
