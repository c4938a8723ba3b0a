"""``grossbuch rebuild``: fills new generations of read models from the events, compares them, and has them read."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from time import perf_counter
from typing import Annotated

import typer

from api.cli import options
from api.cli.terminal import out, progress, result, say
from api.collector import tune_collector
from api.origins import FromStore, Origin
from api.projecting import topic_of
from api.rebuilding import Rebuilt, rebuilding
from api.service import Opening, Service, open_service
from consumers.rebuild import PARTITIONS
from projections.projection import Projection

SENTENCE = "  {table}, position {position}, only in {only_in}: {row}"


KEPT = (
    "Broken off. What was filled is kept: rebuild the same again to go on, or see `grossbuch generations list` and"
    " `drop NAME NUMBER`."
)


class From(StrEnum):
    store = "store"
    kafka = "kafka"


def rebuild(
    names: options.Names = None,
    all_: Annotated[bool, typer.Option("--all", help="All of them")] = False,
    processes: Annotated[int, typer.Option(min=1, max=PARTITIONS, help="That fill it together")] = min(
        2, os.cpu_count() or 1
    ),
    from_: Annotated[From, typer.Option("--from", help="Where the events are read")] = From.store,
    rate: Annotated[float | None, typer.Option(min=1, help="Not more events a second than this")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Swap whatever differs")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Differences to tell")] = 20,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Fill read models anew beside those that are read, compare, and swap. Nobody waits; what was broken off goes on.
    Status 3 if something differs: then the new generation is kept and not read, unless you --accept."""
    if not names and not all_:
        raise typer.BadParameter("name projections, or say --all")
    chosen = options.projections(None if all_ else names)
    done: list[Rebuilt] = []
    with open_service(options.settings(data), say, opening=Opening.FIND) as service:
        size = service.queries.log_size()
        started = perf_counter()
        tune_collector()
        try:
            with rebuilding(service.pool.database, service.pool, chosen, _origin(service, from_, size)) as rebuild:
                with progress(_title(chosen), rebuild.size, shown=not as_json) as advance:
                    rebuild.fill(processes, rate, advance)
                with progress("Comparing", len(chosen), shown=not as_json) as advance:
                    for each in rebuild.finish(accept=accept, most=most):
                        done.append(each)
                        advance(1)
        except KeyboardInterrupt:
            say(KEPT)
            raise typer.Exit(130) from None
        finally:
            if done:
                _tell(done, size, perf_counter() - started, as_json=as_json)
    if not all(each.is_current for each in done):
        raise typer.Exit(3)


def _origin(service: Service, from_: From, size: int) -> Origin:
    if from_ is From.store:
        return FromStore(size)
    if not service.settings.kafka_bootstrap:
        raise typer.BadParameter("set KAFKA_BOOTSTRAP to the broker's host:port", param_hint="--from")
    from api.from_topic import from_topic

    return from_topic(service.settings, topic_of(service.settings, service.pool), service.pool)


def _title(chosen: Sequence[Projection]) -> str:
    return f"Rebuilding {', '.join(each.name for each in chosen)}"


def _tell(done: Sequence[Rebuilt], size: int, seconds: float, *, as_json: bool) -> None:
    if not as_json:
        _say(done)
        return
    current = sorted(each.projection for each in done if each.is_current)
    compared = {each.projection: each.compared for each in done}
    result(
        {
            "rebuilt": current,
            "events": size,
            "seconds": round(seconds, 3),
            "compared_at": {name: each.position for name, each in compared.items()},
            "differences": {name: [asdict(row) for row in each.rows] for name, each in compared.items() if each.rows},
            "more": sorted(name for name, each in compared.items() if each.more),
        }
    )


def _say(done: Sequence[Rebuilt]) -> None:
    for each in done:
        compared = each.compared
        differing = f"{'more than ' if compared.more else ''}{len(compared.rows)} differences"
        said = f"{differing if compared.rows else 'no difference'} at position {compared.position}"
        how = "is read now" if each.is_current else "is kept and not read"
        out.print(f"{each.projection}, generation {each.generation}: {said}; it {how}", markup=False)
        for difference in compared.rows:
            out.print(SENTENCE.format(**asdict(difference)), markup=False, soft_wrap=True)
