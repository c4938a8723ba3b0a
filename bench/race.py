"""Writers of several processes race, stall and are killed, while readers tail the log: what do the readers miss?

``python -m bench.race`` runs it on our ledger, and on the eventsourcing library's own recorder in its two modes.
``--mode`` picks one; ``--seed`` repeats one. tests/integration/test_race.py asserts that ours misses nothing.
"""

import argparse
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import psycopg2

from bench.measure import Row, server
from bench.sides import SIDES, Side

Seen = tuple[int, str, int]
"""Position, stream, version."""

PROCESSES = 4
THREADS = 4
READERS = 3

STALL = """
CREATE FUNCTION {schema}.stall() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.01 THEN PERFORM pg_sleep(random() * 0.03); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stall AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION {schema}.stall();
"""
"""Deferred to the commit: some transactions hold on between what they did and the moment it is visible."""


@dataclass(frozen=True, slots=True)
class Result:
    book: list[Seen]
    seen: list[list[Seen]]
    acknowledged: list[Seen]

    @property
    def missed(self) -> list[int]:
        """By each reader."""
        return [len(set(self.book) - set(seen)) for seen in self.seen]

    @property
    def twice(self) -> list[int]:
        return [len(seen) - len(set(seen)) for seen in self.seen]


def race(dsn: str, side: Side, *, events: int = 12_000, kills: int = 3, seed: int = 0) -> Result:
    """Until so many events are written; on the way some writers are killed without notice, and replaced."""
    chance = random.Random(seed)
    side.prepare(dsn)
    _execute(dsn, STALL.format(schema=side.schema, table=side.table))
    context = get_context("spawn")
    enough, written = context.Event(), context.Event()
    with _directory() as notes:
        names = iter(range(1_000))

        def start(target: Callable[..., None], until: Event) -> SpawnProcess:
            process = context.Process(target=target, args=(side, dsn, notes / f"{next(names)}", chance.random(), until))
            process.start()
            return process

        readers = [start(_read, written) for _ in range(READERS)]
        writers = [start(_write, enough) for _ in range(PROCESSES)]
        for part in range(1, kills + 1):
            _wait(dsn, side, part * events // (kills + 1))
            killed = writers.pop(chance.randrange(len(writers)))
            killed.kill()
            killed.join()
            writers.append(start(_write, enough))
        _wait(dsn, side, events)
        enough.set()
        for process in writers:
            process.join()
        written.set()
        for process in readers:
            process.join()
        book = _execute(dsn, side.read(0))
        noted = [_notes(notes / f"{number}") for number in range(next(names))]
    return Result(book, noted[:READERS], [note for notes in noted[READERS:] for note in notes])


def _write(side: Side, dsn: str, notes: Path, seed: float, enough: Event) -> None:
    """Several callers in a process, with pauses between. What they were told is noted at once: they may be killed."""
    note = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def call(thread: int) -> None:
        chance = random.Random(f"{seed} {thread}")
        stream, version = f"s-{notes.name}-{thread}", 1
        while not enough.is_set():
            count = chance.choice([1, 1, 1, 2, 5])
            positions = append(stream, version, count)
            lines = (f"{position} {stream} {version + index}\n" for index, position in enumerate(positions))
            os.write(note, "".join(lines).encode())
            version += count
            if chance.random() < 0.1:
                sleep(chance.random() * 0.01)

    with side.appending(dsn) as append:
        threads = [Thread(target=call, args=(thread,)) for thread in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _read(side: Side, dsn: str, notes: Path, seed: float, written: Event) -> None:
    """A tailing reader: what is beyond the last position that it has seen, over and over."""
    chance = random.Random(seed)
    seen: list[Seen] = []
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        while True:
            last_round = written.is_set()
            cursor.execute(side.read(seen[-1][0] if seen else 0))
            found = cursor.fetchall()
            seen += found
            if last_round and not found:
                break
            if chance.random() < 0.2:
                sleep(chance.random() * 0.005)
    notes.write_text("".join(f"{position} {stream} {version}\n" for position, stream, version in seen))


def _wait(dsn: str, side: Side, events: int) -> None:
    deadline = monotonic() + 120
    while len(_execute(dsn, f"SELECT 1 FROM {side.table} LIMIT {events}")) < events:
        assert monotonic() < deadline, "the writers have stopped"
        sleep(0.02)


def _notes(path: Path) -> list[Seen]:
    """A writer that was killed may have left half a line."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [(int(position), stream, int(version)) for position, stream, version in map(str.split, lines)]


def _execute(dsn: str, sql: str) -> list[Seen]:
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@contextmanager
def _directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="gbrace"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def main(modes: Sequence[str] = tuple(SIDES), events: int = 12_000, seed: int | None = None) -> list[Row]:
    seed = random.randrange(10**6) if seed is None else seed
    print(f"  seed {seed}: {events:,} events, {PROCESSES} writers of {THREADS} callers, {READERS} readers", flush=True)
    missed: dict[str, str] = {}
    with server() as dsn:
        for mode in modes:
            started = monotonic()
            result = race(dsn, SIDES[mode], events=events, seed=seed)
            missed[mode] = ", ".join(map(str, result.missed))
            took = monotonic() - started
            print(f"  {mode}: missed by each reader {missed[mode]}; twice {result.twice}; {took:.0f} s", flush=True)
    theirs = "; ".join(f"library, {mode}: {count}" for mode, count in missed.items() if mode != "ours")
    measured = f"of {events:,} events, missed by each of {READERS} tailing readers while writers stall and are killed"
    return [Row(measured, missed.get("ours", ""), theirs, "", "0")]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=SIDES, action="append")
    parser.add_argument("--events", type=int, default=12_000)
    parser.add_argument("--seed", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    main(given.mode or tuple(SIDES), given.events, given.seed)
