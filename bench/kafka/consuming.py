"""Projecting from the topic: one consumer against the store feed, two processes against one; who spends the time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter

from api.collector import tune_collector
from api.projecting import store_feed, topic_feed, topic_of
from api.relaying import relaying
from bench.kafka.spent import Spent, spent
from bench.kafka.stage import PARTITIONS, STOCK, Book, Stage, until
from bench.measure import Row, versus
from consumers.ahead import FeedAhead
from consumers.ports import Feed
from consumers.projector import Projector
from domain.stock import Received
from infra.health import Health
from infra.kafka.feed import TopicFeed
from infra.postgres.connection import Database, Pool
from infra.postgres.generations import Generation, Generations
from infra.postgres.read_models import PostgresReadModels
from infra.settings import Settings
from projections.projection import Projection
from projections.shapes import Register
from projections.shapes import Row as Cells

LOTS = 10
lot = Register("bench_lot", {"product": "text", "warehouse": "text", "lot": "text"}, ("on_hand",))


@lot.on(Received)
def received(e: Received) -> Iterator[Cells]:
    """So many rows that PostgreSQL has most of the work."""
    for number in range(LOTS):
        yield e.product, e.warehouse, f"L{number}", e.quantity


PROJECTED = {"stock": STOCK, f"{LOTS} rows an event": Projection("bench_lot", 1, (lot,))}


def rows(on: Stage, book: Book, repeats: int) -> Iterator[Row]:
    settings = on.settings(book.database.schema)
    with Pool(book.database) as pool:
        with relaying(settings, pool, Health()), _filling(book.database, "stock") as (_, read_models, looking):
            _project(_topic_feed(settings, "stock", looking), read_models, book.size)  # the relay marks the ends

        def projected(open_feed: Callable[[PostgresReadModels], Feed]) -> float:
            with _filling(book.database, "stock") as (_, read_models, looking):
                return _project(open_feed(looking), read_models, book.size)

        measured = "one consumer's projected events/s (stock), from the topic against from the store"
        topic = partial(projected, partial(_topic_feed, settings, "stock"))
        store = partial(projected, lambda looking: store_feed(pool, looking, STOCK, PARTITIONS))
        yield versus(measured, topic, store, goal="0.6", repeats=repeats)
    for name in PROJECTED:
        yield from _shared(on, book, name, repeats)


@contextmanager
def _filling(database: Database, name: str) -> Iterator[tuple[Generation, PostgresReadModels, PostgresReadModels]]:
    """A new generation, which nobody reads: what writes it, and what looks how far it is."""
    generations = Generations(database)
    new = generations.begin(PROJECTED[name], PARTITIONS)
    with (
        closing(PostgresReadModels(database, [new])) as read_models,
        closing(PostgresReadModels(database, [new])) as looking,
    ):
        yield new, read_models, looking
    generations.drop(new.projection.name, new.number)


def _topic_feed(settings: Settings, name: str, looking: PostgresReadModels) -> TopicFeed:
    with Pool(Database(str(settings.database_url), settings.ledger), size=1) as pool:
        topic = topic_of(settings, pool)
    return topic_feed(settings, topic, f"{settings.ledger}.{name}", PROJECTED[name], looking)


def _project(feed: Feed, read_models: PostgresReadModels, size: int) -> float:
    with closing(_joined(feed, PARTITIONS)) as ready:
        started = perf_counter()
        Projector(STOCK, ready, read_models, PARTITIONS).catch_up(size)
        return size / (perf_counter() - started)


def _joined(feed: Feed, share: int) -> Feed:
    """One of the topic as a consumer has it, with its partitions; nothing is taken yet."""
    if not isinstance(feed, TopicFeed):
        return feed
    while len(feed._held) != share:
        feed.read()
    feed.rewind()
    return FeedAhead(feed)


def _shared(on: Stage, book: Book, name: str, repeats: int) -> Iterator[Row]:
    """By consumers that are there already and share the partitions."""
    used: dict[int, list[Spent]] = {1: [], 2: []}

    def project(number: int) -> float:
        with (
            _filling(book.database, name) as (new, read_models, _),
            _consumers(on.settings(book.database.schema), name, new.number, number) as (pids, begin),
        ):
            before = spent(on, pids)
            started = perf_counter()
            begin()
            until(lambda: read_models.position(PROJECTED[name]) >= book.size)
            seconds = perf_counter() - started
            used[number].append(spent(on, pids) - before)
            return book.size / seconds

    measured = f"projected events/s ({name}) by two consumer processes, against one"
    yield versus(measured, partial(project, 2), partial(project, 1), goal="stated", repeats=repeats)
    two, one = (Spent.median(used[number]).per(100_000 / book.size) for number in (2, 1))
    measured = f"seconds of CPU for 100,000 events ({name}): consumers, PostgreSQL, broker"
    yield Row(measured, f"{two}", f"{one}", "", "stated")


@contextmanager
def _consumers(
    settings: Settings, name: str, generation: int, number: int
) -> Iterator[tuple[Sequence[int], Callable[[], None]]]:
    """Their process ids, and what lets them begin."""
    context = get_context("spawn")
    pipes = [context.Pipe() for _ in range(number)]
    share = PARTITIONS // number
    processes = [
        context.Process(target=_consume, args=(settings, name, generation, share, there), daemon=True)
        for _, there in pipes
    ]
    here = [each for each, _ in pipes]
    for process in processes:
        process.start()
    try:
        for each in here:
            each.recv()
        yield [process.pid or 0 for process in processes], partial(_tell, here)
    finally:
        _tell(here)
        for process in processes:
            process.join()


def _tell(pipes: Sequence[Connection]) -> None:
    for pipe in pipes:
        pipe.send(None)


def _consume(settings: Settings, name: str, generation: int, share: int, there: Connection) -> None:
    assert settings.database_url
    tune_collector()
    projection = PROJECTED[name]
    database = Database(settings.database_url, settings.ledger)
    new = Generation(projection, generation)
    with (
        closing(PostgresReadModels(database, [new])) as read_models,
        closing(PostgresReadModels(database, [new])) as looking,
        closing(_joined(_topic_feed(settings, name, looking), share)) as feed,
    ):
        there.send(None)
        there.recv()
        projector = Projector(projection, feed, read_models, PARTITIONS)
        while not there.poll():
            projector.turn()
