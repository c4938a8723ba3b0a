"""``grossbuch export``: the events as they stand in the book, one JSON object a line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from api.cli import options
from api.cli.terminal import progress, result, say
from api.http.audit import record
from api.rendering import dumps
from api.service import Opening, Service, open_service

PAGE = 5_000


def export(
    out: Annotated[str, typer.Argument(help="File to write; - is standard output")] = "-",
    data: options.Data = None,
    after: Annotated[int, typer.Option(min=0, help="Only what follows this position")] = 0,
    as_json: options.Json = False,
) -> None:
    """Write the events to a file, in order of position. What is there at the start is written, nothing half."""
    with open_service(options.settings(data), say, opening=Opening.FIND) as service:
        size = service.queries.log_size()
        with (
            _opened(out) as file,
            progress("Exporting", max(0, size - after), shown=not as_json and out != "-") as advance,
        ):
            for row in _events(service, after, size):
                file.write(dumps(record(row)) + b"\n")
                advance(1)
    if as_json and out != "-":
        result({"file": out, "events": max(0, size - after), "log_size": size})


@contextmanager
def _opened(out: str) -> Iterator[BinaryIO]:
    if out == "-":
        yield sys.stdout.buffer
    else:
        with Path(out).open("wb") as file:
            yield file


def _events(service: Service, after: int, size: int) -> Iterator[Any]:
    while after < size:
        with service.queries.moment() as answering:
            rows, _ = answering.events(after, min(PAGE, size - after), None, None)
        yield from rows
        after += len(rows)
