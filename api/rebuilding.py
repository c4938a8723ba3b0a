"""Rebuilds read models: over processes, each with some of the partitions; then compares and swaps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from time import sleep

from consumers.projector import Projector
from consumers.rebuild import PARTITIONS, Pace, fill, shares
from infra.postgres.connection import Database, Pool
from infra.postgres.differences import Difference, differences
from infra.postgres.feed import StoreFeed
from infra.postgres.generations import Behind, Generation, Generations
from infra.postgres.read_models import PostgresReadModels
from projections import PROJECTIONS
from projections.projection import Projection

LOOK_EVERY = 0.2
"""Seconds between two looks at how far the workers are."""


class WorkerDied(Exception):
    """A process that filled a generation has ended before its time. What it did is kept: begin again."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    projection: str
    generation: int
    differences: Sequence[Difference]
    is_current: bool


class Rebuild:
    """Of some projections, to the end that the book has when it begins and then to where the read models are."""

    def __init__(self, database: Database, pool: Pool, projections: Sequence[Projection], end: int) -> None:
        self._database, self._pool, self._end = database, pool, end
        self._generations = Generations(database)
        self._new = [self._generations.begin(projection, PARTITIONS) for projection in projections]

    def fill(self, workers: int, rate: float | None, progress: Callable[[int], object]) -> None:
        """``progress`` is told how many positions more are done, of the book's size for each projection. WorkerDied."""
        per_worker = rate / workers if rate else None
        numbers = {new.projection.name: new.number for new in self._new}
        work = [(self._database, numbers, list(share), self._end, per_worker) for share in shares(workers)]
        with _processes(work) as alive, _read_models(self._database, self._new) as read_models:
            before = 0
            while True:
                done = sum(_sum(read_models, new, self._end) for new in self._new)
                progress(done // PARTITIONS - before)
                before = done // PARTITIONS
                if before == self._end * len(self._new):
                    return
                if not alive():
                    raise WorkerDied("A process of the rebuild has ended before its time; begin again to go on.")
                sleep(LOOK_EVERY)

    def finish(self, *, accept: bool, most: int) -> Iterator[Rebuilt]:
        """Compare each, and let it take its place if there is no difference, or differences are accepted."""
        for new in self._new:
            found = differences(self._pool, self._generations, new, most)
            if not found or accept:
                self._swap(new)
            yield Rebuilt(new.projection.name, new.number, found, not found or accept)

    def compare(self, most: int) -> Iterator[Rebuilt]:
        """Compare each, and throw it away."""
        for new in self._new:
            yield Rebuilt(new.projection.name, new.number, differences(self._pool, self._generations, new, most), False)
            self._generations.drop(new.projection.name, new.number)

    def _swap(self, new: Generation) -> None:
        with _read_models(self._database, [new]) as read_models, _read_models(self._database, []) as live:
            projector = _projector(self._pool, read_models, new)
            while True:
                projector.catch_up(max(live.furthest(new.projection), read_models.furthest(new.projection)))
                try:
                    return self._generations.swap_soon(new)
                except Behind:
                    continue


def _fill_share(
    database: Database, numbers: Mapping[str, int], share: Sequence[int], end: int, rate: float | None
) -> None:
    """In a process of its own."""
    pace = Pace(rate)
    generations = [Generation(each, numbers[each.name]) for each in PROJECTIONS if each.name in numbers]
    with Pool(database, size=2) as pool, _read_models(database, generations) as read_models:
        for new in generations:

            def reached(new: Generation = new) -> bool:
                places = read_models.places(new.projection, PARTITIONS)
                return all(places[partition].position >= end for partition in share)

            fill(_projector(pool, read_models, new, share, end), reached, pace)


def _projector(
    pool: Pool,
    read_models: PostgresReadModels,
    new: Generation,
    only: Sequence[int] | None = None,
    last: int | None = None,
) -> Projector:
    partitions = read_models.partitions(new.projection)
    feed = StoreFeed(
        pool,
        new.projection.types,
        partitions,
        lambda: read_models.places(new.projection, partitions),
        only=only,
        last=last,
    )
    return Projector(new.projection, feed, read_models, partitions)


def _sum(read_models: PostgresReadModels, new: Generation, end: int) -> int:
    places = read_models.places(new.projection, PARTITIONS)
    return sum(min(place.position, end) for place in places.values())


@contextmanager
def _read_models(database: Database, filling: Sequence[Generation]) -> Iterator[PostgresReadModels]:
    read_models = PostgresReadModels(database, filling)
    try:
        yield read_models
    finally:
        read_models.close()


@contextmanager
def _processes(work: Sequence[tuple[object, ...]]) -> Iterator[Callable[[], bool]]:
    """One for each piece of work; gives whether none has failed. They are ended with us."""
    context = get_context("spawn")
    processes = [context.Process(target=_fill_share, args=piece, daemon=True) for piece in work]
    for process in processes:
        process.start()
    try:
        yield lambda: not any(process.exitcode for process in processes)
    finally:
        for process in processes:
            process.terminate()
            process.join()
