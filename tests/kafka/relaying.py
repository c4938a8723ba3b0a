"""Words of the tests about the relay: a book that grows, a relay in a thread or as a process, and how it does."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from prometheus_client import REGISTRY

from api.relaying import make_relay
from consumers.ports import Topic
from consumers.relay import Relay
from infra.health import Health
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.figures import RelayFigures
from infra.kafka.publisher import TopicPublisher
from infra.kafka.topic import administration, ensure
from infra.postgres.baton import PostgresBaton
from infra.postgres.connection import Database, Pool
from infra.postgres.log import StoreLog
from infra.postgres.writer import Writer
from infra.settings import Settings
from tests.e2e.serving import GROSSBUCH
from tests.integration.writing import ask, event, outcome, query, streams, terminate, until
from tests.kafka.carrying import NEVER, are_carried, events, messages

PARTITIONS = 12


class Book:
    """Grows when told to; knows what must be in the topic."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self.database = database
        self._writer = writer
        self.size = 0

    @property
    def topic(self) -> Topic:
        [(identity,)] = query(self.database, "SELECT identity::text FROM ledger")
        return Topic(f"{self.database.schema}.events", PARTITIONS, identity)

    def grow(self, by: int, payload: str = "{}") -> None:
        while by > 0:
            some = min(by, 2_000)
            rows = [event(f"stream-{self.size + n}", payload=payload) for n in range(1, some + 1)]
            assert isinstance(outcome(ask(self._writer, *rows)), int)
            self.size, by = self.size + some, by - some

    def carried(self, broker: Broker) -> None:
        """Once the relay is there, the topic has what the book has."""
        until(lambda: at() == self.size, patience=NEVER)
        are_carried(broker, self.topic, self.size)
        found = sorted((each.position, each.headers["ce_subject"]) for each in events(messages(broker, self.topic)))
        assert [stream for _, stream in found] == streams(self.database)


def at() -> float:
    return REGISTRY.get_sample_value("grossbuch_relay_position") or 0


def lost(*reasons: str) -> float:
    """How many publishers were lost for these reasons so far; for any if none is named."""
    [metric] = [each for each in REGISTRY.collect() if each.name == "grossbuch_relay_publishers_lost"]
    counted = [each for each in metric.samples if each.name.endswith("_total")]
    return sum(each.value for each in counted if not reasons or each.labels["reason"] in reasons)


def settings(broker: Broker, database: Database) -> Settings:
    return broker.settings.model_copy(update={"ledger": database.schema, "database_url": database.dsn})


@contextmanager
def relaying(broker: Broker, book: Book, **publisher: Any) -> Iterator[Relay]:
    """A relay in a thread. What ends it, or halts it at the end, fails the test."""
    RelayFigures().at(0, 0)
    RelayFigures().standing_by(False)
    health = Health()
    with Pool(book.database) as pool:
        if publisher:
            options = connection(broker.settings)
            relay = Relay(
                StoreLog(pool),
                PostgresBaton(book.database, "relay"),
                lambda: book.topic,
                lambda topic: TopicPublisher(options, book.database.schema, topic, **publisher),
                RelayFigures(),
                health,
            )
        else:
            relay = make_relay(settings(broker, book.database), pool, health)
        with in_thread(relay):
            yield relay
            assert not health.ailing


@contextmanager
def in_thread(relay: Relay) -> Iterator[None]:
    ended: list[BaseException] = []

    def run() -> None:
        try:
            relay.run()
        except BaseException as error:
            ended.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        relay.stop()
        thread.join(NEVER)
    assert not thread.is_alive()
    if ended:
        raise ended[0]


def environment(broker: Broker, book: Book) -> dict[str, str]:
    told = {"DATABASE_URL": book.database.dsn, "GROSSBUCH_LEDGER": book.database.schema}
    return {**os.environ, **broker.environment, **told}


@contextmanager
def process(
    broker: Broker, book: Book, *arguments: str, program: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """``grossbuch relay``, killed at the end if it lives."""
    command = [*(program or (GROSSBUCH, "relay")), *arguments]
    with subprocess.Popen(
        command, env=environment(broker, book), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def carries(broker: Broker, book: Book) -> Callable[[], bool]:
    """Whether the topic has it all by now."""

    def look() -> bool:
        with administration(connection(broker.settings)) as admin:
            ensure(admin, book.topic)
        return len(events(messages(broker, book.topic))) >= book.size

    return look


def killed_at(batch: int) -> str:
    """A relay that dies when it is about to commit its n-th batch; quiet partitions are marked in between, sooner or
    later."""
    return f"""
import os, signal, sys
from itertools import count
from api.cli import main
from infra.kafka.publisher import TopicPublisher
publish, commit, batches = TopicPublisher.publish, TopicPublisher._commit, count(1)
is_last = False
def counted(self, events):
    global is_last
    is_last = next(batches) == {batch}
    publish(self, events)
def deadly(self):
    if is_last:
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self)
TopicPublisher.publish, TopicPublisher._commit = counted, deadly
sys.argv = ["grossbuch", "relay"]
main()
"""


def standing_by() -> float:
    return REGISTRY.get_sample_value("grossbuch_relay_standing_by") or 0


def messages_so_far(broker: Broker, book: Book) -> list[Any]:
    with administration(connection(broker.settings)) as admin:
        ensure(admin, book.topic)
    return list(messages(broker, book.topic))


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def batons(database: Database) -> list[int]:
    """The connections of those who have the baton, or wait for it."""
    name = f"grossbuch relay {database.schema}"[:63]
    return [pid for (pid,) in query(database, "SELECT pid FROM pg_stat_activity WHERE application_name = %s", name)]


def terminate_holder(database: Database) -> None:
    [(holder,)] = query(
        database,
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = ANY (%s)",
        batons(database),
    )
    terminate(database, holder)


def terminate_all(database: Database) -> None:
    """Every connection that reads for the relay, and the one that has the baton."""
    readers = query(database, "SELECT pid FROM pg_stat_activity WHERE application_name = 'grossbuch read'")
    for pid in [*batons(database), *(pid for (pid,) in readers)]:
        terminate(database, pid)
