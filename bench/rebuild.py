"""Rebuilding read models: two processes against one, four million events against one, and what commands feel of it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, sleep

from api.cli.importing import send
from api.collector import tune_collector
from api.origins import FromStore
from api.rebuilding import Rebuild
from api.service import Service, open_service
from bench.measure import Row, server, spread
from commands.command import parse
from infra.postgres.append import Row as Record
from infra.postgres.connection import Database
from infra.postgres.generations import Generations
from infra.postgres.writer import Writer
from infra.settings import Settings
from infra.sources.completejourney import CompleteJourney
from projections import PROJECTIONS
from projections.projection import Projection

SMALL, LARGE = 1_000_000, 4_000_000
REPEATS, BATCH = 3, 5_000
PRODUCTS, WAREHOUSES = 5_000, 20
LIMIT = 5_000
"""Events a second, with the limiter on."""

STOCK = [projection for projection in PROJECTIONS if projection.name == "stock"]


class Enough(Exception):
    """A rebuild was long enough under way."""


def main(large: int = LARGE, weeks: int | None = None) -> Iterator[Row]:
    """Of so many weeks of retail; of the year if None."""
    tune_collector()  # as the command line does
    with server() as dsn:
        yield from _growth(dsn, large // 4, large)
        yield from _retail(dsn, weeks)


def _growth(dsn: str, small: int, large: int) -> Iterator[Row]:
    times: dict[int, list[float]] = {small: [], large: []}
    memory: dict[int, float] = {}
    services = {size: Settings(DATABASE_URL=dsn, ledger=f"bench_rebuild_{size}") for size in times}
    for size, settings in services.items():
        with open_service(settings):
            _receipts(Database(dsn, settings.ledger), size)
    for _ in range(REPEATS):
        for size, settings in services.items():
            with open_service(settings) as service, _peak() as peak:
                times[size].append(_rebuild(service, STOCK, 1))
            memory[size] = max(memory.get(size, 0), peak())
    ratios = [b / a for a, b in zip(times[small], times[large], strict=True)]
    name = f"stock rebuilt, {large:,} events against {small:,}"
    yield Row(f"{name}: s", spread(times[large], ".1f"), spread(times[small], ".1f"), spread(ratios, ".2f"), "4.4")
    grown = f"{memory[large] / memory[small]:.2f}"
    yield Row(f"{name}: MB of the process", f"{memory[large]:.0f}", f"{memory[small]:.0f}", grown, "1.1")


def _retail(dsn: str, weeks: int | None) -> Iterator[Row]:
    with open_service(Settings(DATABASE_URL=dsn, ledger="bench_rebuild_retail")) as service:
        assert not send(service, CompleteJourney(weeks), shown=False)["refused"]
        events = service.queries.log_size()
        yield _slowdown(service)
        one, two = [], []
        for _ in range(REPEATS):
            one.append(events / _rebuild(service, PROJECTIONS, 1))
            two.append(events / _rebuild(service, PROJECTIONS, 2))
        ratio = spread([b / a for a, b in zip(one, two, strict=True)], ".2f")
        trade = f"{weeks} retail weeks" if weeks else "the retail year"
        name = f"all read models of {trade} ({events:,} events) rebuilt, two processes against one: events/s"
        yield Row(name, spread(two), spread(one), ratio, "1.6")


def _slowdown(service: Service) -> Row:
    quiet, busy = [], []
    for number in range(REPEATS):
        quiet.append(_commands(service, f"q{number}", 5_000))
        with _rebuilding(service):
            busy.append(_commands(service, f"b{number}", 5_000))
    ratio = spread([b / a for a, b in zip(quiet, busy, strict=True)], ".2f")
    return Row(f"commands/s while a rebuild runs at {LIMIT:,} events/s", spread(busy), spread(quiet), ratio, "stated")


def _rebuild(service: Service, projections: Sequence[Projection], processes: int) -> float:
    """Seconds, with what it takes to start processes, compare and swap."""
    database = service.pool.database
    started = perf_counter()
    rebuilding = Rebuild(database, service.pool, projections, FromStore(service.queries.log_size()))
    rebuilding.fill(processes, None, int)
    assert all(each.is_current for each in rebuilding.finish(accept=True, most=1))
    seconds = perf_counter() - started
    _drop_all_but_current(database)
    return seconds


def _drop_all_but_current(database: Database) -> None:
    generations = Generations(database)
    for each in generations.list():
        if each.state != "current":
            generations.drop(each.projection, each.number)


@contextmanager
def _rebuilding(service: Service) -> Iterator[None]:
    """With the limiter on, as long as we measure."""
    rebuilding = Rebuild(service.pool.database, service.pool, STOCK, FromStore(service.queries.log_size()))
    measured = Event()

    def fill() -> None:
        with suppress(Enough):
            rebuilding.fill(2, LIMIT, tell)  # beside this one, as on the command line
            raise AssertionError("The rebuild was over before the commands were.")

    def tell(_: int) -> None:
        if measured.is_set():
            raise Enough

    with ThreadPoolExecutor() as threads:
        filling = threads.submit(fill)
        sleep(2)  # its processes have started
        try:
            yield
        finally:
            measured.set()
            filling.result()
            _drop_all_but_current(service.pool.database)


def _commands(service: Service, run: str, number: int) -> float:
    commands = [parse({"type": "client.register", "client": f"{run}-{n}", "name": "N"}) for n in range(number)]
    started = perf_counter()
    for command in commands:
        service.bus.execute([command])
    return number / (perf_counter() - started)


def _receipts(database: Database, size: int) -> None:
    writer = Writer(database)
    at = "2026-01-01T00:00:00+00:00"
    for start in range(0, size, BATCH):
        rows: list[Record] = []
        for number in range(start, min(start + BATCH, size)):
            item = number % (PRODUCTS * WAREHOUSES)
            product, warehouse = f"P{item % PRODUCTS}", f"W{item // PRODUCTS}"
            payload = (
                f'{{"product":"{product}","warehouse":"{warehouse}","quantity":"3","cost":"7.50","currency":"EUR"}}'
            )
            version = str(number // (PRODUCTS * WAREHOUSES) + 1)
            stream = f"stock-{warehouse}/{product}"
            rows.append((stream, version, "stock.received", "1", product, at, "{}", payload, ""))
        writer.append(rows)
    writer.close()


@contextmanager
def _peak() -> Iterator[Callable[[], float]]:
    """Megabytes that this process, which fills alone, had in memory."""
    most, stopped = [0.0], Event()

    def watch() -> None:
        while not stopped.wait(0.1):
            most.append(_resident("self"))

    thread = Thread(target=watch)
    thread.start()
    try:
        yield lambda: max(most)
    finally:
        stopped.set()
        thread.join()


def _resident(pid: str) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
    except (OSError, IndexError):
        return 0.0


if __name__ == "__main__":
    print(*main(*map(int, sys.argv[1:])), sep="\n")
