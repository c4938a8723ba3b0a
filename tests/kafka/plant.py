"""All processes of one ledger, as they run on several machines: one that serves, relays and consumers. A test may do
to them what it likes; in the end the figures must be those of the book."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import Any, Self

import httpx
from kafka.errors import UnknownTopicOrPartitionError
from psycopg2.extensions import parse_dsn

from api.projecting import group_of
from consumers.ports import Topic
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.topic import administration, delete
from infra.postgres import topics
from infra.postgres.connection import Database, Pool
from projections import PROJECTIONS
from tests.e2e.serving import GROSSBUCH, Up
from tests.forked import Forked
from tests.integration.writing import query, until
from tests.kafka import truth
from tests.kafka.frail import frail
from tests.kafka.trade import Trading
from tests.properties.books import Books

PATIENCE = 120.0
NEVER_SAID = ("Traceback", "has lost messages", "is not a message of ours", "cannot carry the book")
SESSIONS = (
    "SELECT pid, application_name, state, wait_event, now() - state_change AS since, pg_blocking_pids(pid), query"
    " FROM pg_stat_activity WHERE datname = current_database()"
)


class Process:
    """One of ours, by what it was started with. What it says goes to a file."""

    def __init__(self, words: Sequence[str], log: Path, env: dict[str, str]) -> None:
        self.log = log
        log.touch()
        self._process = Forked(frail, ("grossbuch", *words), env, (os.devnull, log))

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def resident(self) -> int:
        """Bytes of memory."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def _is_stopped(self) -> bool:
        return "State:\tT" in Path(f"/proc/{self._process.pid}/status").read_text()

    def says(self, words: str) -> None:
        until(lambda: words in self.log.read_text() or not self.is_alive, PATIENCE)
        assert words in self.log.read_text(), self.log.read_text()

    def falls(self) -> None:
        """Wait until it has died, or been stopped, by its own hand."""
        until(lambda: not self.is_alive or self._is_stopped, PATIENCE)
        assert self._process.returncode in (None, -signal.SIGKILL), self.log.read_text()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def ask(self) -> None:
        self._process.send_signal(signal.SIGUSR1)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """As asked to: it finishes what is at hand."""
        self._process.terminate()
        assert self._process.wait(PATIENCE) == 0, self.log.read_text()


class Plant:
    """Used with ``with``: serves until the end of the block, when everything is killed."""

    def __init__(self, broker: Broker, database: Database, logs: Path) -> None:
        self.broker = broker
        self.database = database
        self.processes: list[Process] = []
        self._logs = logs
        self._numbers = count(1)
        self._env = {
            **os.environ,
            **broker.environment,
            "DATABASE_URL": database.dsn,
            "GROSSBUCH_LEDGER": database.schema,
            "GROSSBUCH_LOG_JSON": "true",
        }
        self._serve = Up(log=logs / "serve", env=self._env, how="serve")

    @property
    def address(self) -> str:
        return self._serve.address

    @property
    def topic(self) -> Topic:
        with Pool(self.database) as pool:
            return topics.current(pool, "", 1)

    def relay(self, falls: str = "") -> Process:
        """Returns once it has begun. ``falls``: as frail.py has it."""
        process = self._begin("relay", falls)
        process.says("Relaying")
        return process

    def consumer(self, falls: str = "") -> Process:
        process = self._begin("consume", falls)
        process.says("Projecting")
        return process

    def consumers(self, number: int) -> list[Process]:
        """At once."""
        begun = [self._begin("consume") for _ in range(number)]
        for process in begun:
            process.says("Projecting")
        return begun

    def run(self, *arguments: str) -> None:
        """A command that ends by itself."""
        subprocess.run([GROSSBUCH, *arguments], env=self._env, check=True, capture_output=True, timeout=PATIENCE)

    def delete_topic(self) -> None:
        """If it is there."""
        with administration(connection(self.broker.settings)) as admin, suppress(UnknownTopicOrPartitionError):
            delete(admin, self.topic.name)

    def bring_the_broker_back(self) -> None:
        """Be it killed, hung or well."""
        self.broker.resume()
        if not self.broker.is_alive:
            self.broker.start()

    def kill_database(self) -> None:
        """Its supervisor, in our own process, starts it again."""
        home = Path(parse_dsn(self.database.dsn)["host"]).parent
        os.kill(int((home / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def trading(self, seed: int = 1, **how: Any) -> Trading:
        return Trading(lambda: self.address, seed, **how)

    @contextmanager
    def traded(self, seed: int = 1, **how: Any) -> Iterator[Trading]:
        """Under load while it lasts; then, once all have settled, book, topic and read models say what was accepted."""
        with self.trading(seed, **how) as trading:
            yield trading
        self.agrees(trading)

    def at(self) -> dict[str, tuple[int, int]]:
        """How far each read model is, and the book."""
        found = httpx.get(f"{self.address}/v1/projections", timeout=60).json()
        return {each["projection"]: (each["position"], each["position"] + each["behind_events"]) for each in found}

    def catches_up(self) -> None:
        """Wait until all read models are where the book is now."""
        goal = max(end for _, end in self.at().values())
        try:
            until(lambda: min(position for position, _ in self.at().values()) >= goal, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"not at {goal}: {self.at()}\n{self._asked()}\n{self.said()}") from error

    def _asked(self) -> str:
        """What the server's sessions are at; and each process says in its log what it does (frail.py)."""
        for process in self.processes:
            if process.is_alive:
                process.ask()
        sleep(1)
        sessions = query(self.database, SESSIONS)
        return "\n".join(map(str, sessions))

    def agrees(self, traded: Trading) -> None:
        assert not traded.refused, traded.refused
        self.catches_up()
        with Pool(self.database) as pool:
            books = Books(self.database, pool)
            found = truth.book(books)
            truth.has_all_that_was_accepted(found, traded.accepted)
            truth.read_models_agree(books, found)
            books.close()
        truth.topic_agrees(self.broker, self.topic, found)
        said = self.said()
        assert [words for words in NEVER_SAID if words in said] == [], said

    def shared(self) -> dict[str, list[int]]:
        """Of each projection's group, how many consumers have each partition."""
        topic = self.topic
        groups = {group_of(topic, f"{each.name}.{each.version}"): each.name for each in PROJECTIONS}
        with administration(connection(self.broker.settings)) as admin:
            described = admin.describe_groups(list(groups))
        return {name: _owners(described[group], topic) for group, name in groups.items()}

    def said(self) -> str:
        return "\n".join(f"{log.name}: {log.read_text()}" for log in sorted(self._logs.iterdir()))

    def restart_serving(self) -> None:
        self._serve.kill()
        self._serve.start().http.close()

    def __enter__(self) -> Self:
        self.run("migrate", "--new")
        self._serve.start().http.close()
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        for process in self.processes:
            process.kill()
        self._serve.kill()

    def _begin(self, command: str, falls: str = "") -> Process:
        log = self._logs / f"{command}-{next(self._numbers)}"
        process = Process([command], log, {**self._env, "FALLS": falls})
        self.processes.append(process)
        return process


def _owners(group: Any, topic: Topic) -> list[int]:
    owned = [0] * topic.partitions
    for member in group["members"]:
        assigned = member["member_assignment"]
        for each in assigned["assigned_partitions"] if assigned else ():
            for partition in each["partitions"]:
                owned[partition] += 1
    return owned
