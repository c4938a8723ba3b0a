"""Rebuilds read models: over processes, each with some of the partitions; then compares and swaps."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import SynchronizedArray
from threading import Thread
from time import sleep

from api.collector import tune_collector
from api.interruption import uninterrupted
from api.origins import Origin, Share
from api.projecting import store_feed, store_projector
from consumers.projector import Projector
from consumers.rebuild import Pace, Shares
from consumers.spread import spread
from infra.postgres import fitness
from infra.postgres.connection import Database, Pool
from infra.postgres.differences import Comparison, differences
from infra.postgres.generations import Behind, Generation, Generations
from infra.postgres.one_rebuild import one_rebuild
from infra.postgres.read_models import PostgresReadModels
from infra.settings import Settings
from infra.telemetry import configure_logs
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
    compared: Comparison
    is_current: bool


@contextmanager
def rebuilding(
    database: Database, pool: Pool, projections: Sequence[Projection], origin: Origin
) -> "Iterator[Rebuild]":
    """Of some projections, while it lasts nobody else's. BeingRebuilt; Ahead, as none can be compared with what has
    more than the book; Unfit, as it makes schemas."""
    fitness.check(database, as_maker=True)
    with one_rebuild(database, projections), _read_models(database, []) as read_models:
        for projection in projections:
            read_models.agrees(projection)
        yield Rebuild(database, pool, projections, origin)


class Rebuild:
    """Of some projections, to the end that the ``origin`` has, and from there to where the read models are."""

    def __init__(self, database: Database, pool: Pool, projections: Sequence[Projection], origin: Origin) -> None:
        self._database, self._pool, self._origin = database, pool, origin
        self._generations = Generations(database)
        partitions = len(origin.ends)
        self._new = [self._generations.begin(projection, partitions) for projection in projections]
        with _read_models(database, self._new) as read_models:
            for new in self._new:  # begun before, it may be in another number
                spread(new.projection, partitions, read_models, partial(store_feed, pool, read_models))

    @property
    def size(self) -> int:
        """Positions to pass, on an average over the partitions, in all projections together."""
        return len(self._new) * self._passed(self._origin.ends)

    def fill(self, workers: int, rate: float | None, progress: Callable[[int], object]) -> None:
        """``progress`` is told how many positions more are done, of ``size`` in the end. WorkerDied."""
        before = 0
        for done in self._filled_here(rate) if workers == 1 else self._filled_by(workers, rate):
            progress(done - before)
            before = done

    def _filled_here(self, rate: float | None) -> Iterator[int]:
        """A process that is alone needs no other."""
        partitions, before = range(len(self._origin.ends)), 0
        with Pool(self._database, size=2) as pool, _read_models(self._database, self._new) as read_models:
            for new in self._new:
                for at in _fill(self._origin, pool, read_models, new, lambda: partitions, Pace(rate)):
                    yield before + self._passed(at)
                before += self._passed(self._origin.ends)

    def _filled_by(self, workers: int, rate: float | None) -> Iterator[int]:
        per_worker = rate / workers if rate else None
        numbers = {new.projection.name: new.number for new in self._new}
        partitions = len(self._origin.ends)
        work = (self._database, numbers, self._origin, per_worker)
        with (
            _workers(workers, len(numbers) * partitions, work) as alive,
            _read_models(self._database, self._new) as read_models,
        ):
            while True:
                done = sum(self._passed(_positions(read_models, new, partitions)) for new in self._new)
                yield done
                if done == self.size:
                    return
                if not alive():
                    raise WorkerDied("A process of the rebuild has ended before its time; begin again to go on.")
                sleep(LOOK_EVERY)

    def _passed(self, positions: Mapping[int, int]) -> int:
        ends = self._origin.ends
        return sum(min(position, ends[partition]) for partition, position in positions.items()) // len(ends)

    def finish(self, *, accept: bool, most: int) -> Iterator[Rebuilt]:
        """Compare each, and let it take its place if there is no difference, or differences are accepted."""
        for new in self._new:
            compared = differences(self._pool, self._generations, new, most)
            accepted = accept or not compared.rows
            if accepted:
                self._swap(new)
            else:
                self._generations.refuse(new)
            yield Rebuilt(new.projection.name, new.number, compared, accepted)

    def replace(self) -> None:
        """Have each read in the place of one that does not hold, whatever that has."""
        for new in self._new:
            with _read_models(self._database, [new]) as read_models:
                projector = store_projector(self._pool, read_models, new.projection)
                projector.catch_up(read_models.furthest(new.projection))
            self._generations.swap_soon(new, whatever_is_read=True)

    def _swap(self, new: Generation) -> None:
        with _read_models(self._database, [new]) as read_models, _read_models(self._database, []) as live:
            projector = store_projector(self._pool, read_models, new.projection)
            while True:
                projector.catch_up(max(live.furthest(new.projection), read_models.furthest(new.projection)))
                try:
                    return self._generations.swap_soon(new)
                except Behind:
                    continue


def _work(
    worker: int,
    owners: "SynchronizedArray[int]",
    database: Database,
    numbers: Mapping[str, int],
    origin: Origin,
    rate: float | None,
) -> None:
    """In a process of its own, which ends when there is nothing left to do, its parent tells it to or is no more."""
    Thread(target=_end_with_parent, daemon=True).start()
    tune_collector()
    settings = Settings()
    configure_logs(settings.log_level, json=settings.log_json)
    pace = Pace(rate)
    shares = Shares(len(origin.ends), owners, owners.get_lock())
    generations = [Generation(each, numbers[each.name]) for each in PROJECTIONS if each.name in numbers]
    with Pool(database, size=2) as pool, _read_models(database, generations) as read_models:
        while (taken := shares.take(worker)) is not None:
            for _ in _fill(origin, pool, read_models, generations[taken], partial(shares.of, taken, worker), pace):
                pass
            shares.done(taken, worker)


def _end_with_parent() -> None:
    """A parent that was killed has told nobody. What is under way is undone by the database."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


def _fill(
    origin: Origin, pool: Pool, read_models: PostgresReadModels, new: Generation, share: Share, pace: Pace
) -> Iterator[Mapping[int, int]]:
    """Turn until the share is as far as the origin, whoever gets it there; gives before each turn how far it is."""
    partitions = len(origin.ends)
    projector = Projector(new.projection, origin.feed(pool, read_models, new, share), read_models, partitions)
    try:
        while True:
            at = _positions(read_models, new, partitions)
            yield at
            if all(at[partition] >= origin.ends[partition] for partition in share()):
                return
            pace.keep(projector.turn())
    finally:
        projector.close()


def _positions(read_models: PostgresReadModels, new: Generation, partitions: int) -> Mapping[int, int]:
    return {partition: place.position for partition, place in read_models.places(new.projection, partitions).items()}


@contextmanager
def _read_models(database: Database, filling: Sequence[Generation]) -> Iterator[PostgresReadModels]:
    read_models = PostgresReadModels(database, filling)
    try:
        yield read_models
    finally:
        read_models.close()


@contextmanager
def _workers(number: int, places: int, work: tuple[object, ...]) -> Iterator[Callable[[], bool]]:
    """Processes that share the work, of so many places; gives whether none has failed. They are ended with us."""
    context = get_context("spawn")
    owners = context.Array("i", places)
    started: list[SpawnProcess] = []
    try:
        with uninterrupted():
            for worker in range(1, number + 1):
                process = context.Process(target=_work, args=(worker, owners, *work), daemon=True)
                process.start()
                started.append(process)
        yield lambda: not any(process.exitcode for process in started)
    finally:
        for process in started:
            process.terminate()
            process.join()
