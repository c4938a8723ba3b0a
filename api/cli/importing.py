"""``grossbuch import``: commands of a source of real trade, or of a file. Repeated or resumed, it adds nothing."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api import strict_json
from api.cli import options
from api.cli.terminal import err, progress, result, say
from api.collector import tune_collector
from api.http.bodies import command_or_refusal
from api.http.problems import problem
from api.service import Opening, Service, open_service
from commands.bus import Accepted, Refused
from commands.command import Command
from domain.refusal import Refusal
from infra.sources.cdnow import Cdnow
from infra.sources.completejourney import CompleteJourney
from infra.sources.source import Source
from infra.sources.wholesale import Wholesale

CHUNK = 1_000
"""Commands committed together."""

MOST_TOLD = 20


class CommandFile:
    """NDJSON, one command a line; ``-`` is standard input."""

    def __init__(self, name: str) -> None:
        self.name = self.title = name

    def commands(self) -> Iterator[Any]:
        if self.name == "-":
            yield from self._read(sys.stdin.buffer)
        else:
            with Path(self.name).open("rb") as lines:
                yield from self._read(lines)

    def _read(self, lines: Iterable[bytes]) -> Iterator[Any]:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield strict_json.loads(line)
                except Refusal as refusal:
                    yield Refusal("malformed", f"Line {number}: {refusal.message}", line=number)

    def count(self) -> int | None:
        return None


def source_of(name: str, weeks: int | None, limit: int | None) -> Source | CommandFile:
    match name:
        case "completejourney":
            return CompleteJourney(weeks)
        case "cdnow":
            return Cdnow(limit)
        case "wholesale":
            return Wholesale()
    if name != "-" and not Path(name).is_file():
        raise typer.BadParameter(f"{name} is neither completejourney, cdnow or wholesale, nor a file of commands")
    return CommandFile(name)


def import_(
    source: Annotated[str, typer.Argument(help="completejourney, cdnow, wholesale, or a file of commands (NDJSON)")],
    data: options.Data = None,
    weeks: Annotated[int | None, typer.Option(min=1, help="completejourney: the first weeks only")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="cdnow: the first purchases only")] = None,
    new: options.New = False,
    as_json: options.Json = False,
) -> None:
    """Send the commands of a source through the ledger, then bring the read models up to date."""
    chosen = source_of(source, weeks, limit)
    with open_service(options.settings(data), say, opening=Opening.MAKE if new else Opening.FIND) as service:
        outcome = send(service, chosen, shown=not as_json)
        if service.settings.kafka_bootstrap:
            say("Consumers of the topic bring the read models up to date.")
        else:
            catch_up(service, shown=not as_json)
    if as_json:
        result({"source": source, **outcome})
    else:
        say(", ".join(f"{count:,} {what}" for what, count in outcome.items()))
    if outcome.get("refused"):
        raise typer.Exit(1)


def send(service: Service, source: Source | CommandFile, *, shown: bool = True) -> dict[str, int]:
    """How many commands were accepted, known already, and refused; the first refusals are told."""
    counts: Counter[str] = Counter(accepted=0, known=0, refused=0)
    tune_collector()
    with progress(f"Importing {source.title}", source.count(), shown=shown) as advance:
        for chunk in chunks(source.commands()):
            for line, refusal in _execute(service, chunk, counts):
                if counts["refused"] <= MOST_TOLD:
                    command = {} if line is refusal else {"command": line}
                    err.print_json(orjson.dumps({**problem(refusal), **command}, default=str).decode())
            advance(len(chunk))
    return dict(counts)


def chunks(commands: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(commands)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _execute(service: Service, chunk: list[Any], counts: Counter[str]) -> Iterator[tuple[Any, Refusal]]:
    read = [command_or_refusal(line) for line in chunk]
    outcomes = iter(service.bus.execute([command for command in read if isinstance(command, Command)]))
    for line, command in zip(chunk, read, strict=True):
        outcome = command if isinstance(command, Refusal) else next(outcomes)
        match outcome:
            case Refusal():
                counts["refused"] += 1
                yield line, outcome
            case Refused(refusal=refusal):
                counts["refused"] += 1
                yield line, refusal
            case Accepted(replayed=replayed):
                counts["known" if replayed else "accepted"] += 1


def catch_up(service: Service, *, shown: bool = True) -> None:
    size = service.queries.log_size()
    left = sum(max(0, size - projector.position) for projector in service.projectors)
    with progress("Projecting", left, shown=shown) as advance:
        for projector in service.projectors:
            projector.catch_up(size, advance)
