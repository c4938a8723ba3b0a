"""Words of the tests about reading a topic: events that are published, and a reader that keeps its place in a file.

As a program it is such a reader in a process of its own: bootstrap, topic, partitions, ledger, file.
"""

import fcntl
import json
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest

from consumers.ports import Batch, Overtaken, Place, Recorded, Topic
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.feed import TopicFeed
from infra.partitions import partition_of
from infra.settings import Settings
from tests.kafka.carrying import fresh, publisher

Open = Callable[..., TopicFeed]

GROUP = "readers"
TYPE = "test.happened"


def time_of(position: int) -> str:
    """Some events share a millisecond, and some are apart."""
    return f"2026-01-01 00:{position // 600 % 60:02}:{position // 10 % 60:02}.{position // 3 % 1000:03}+00"


def event(position: int, key: str, version: int, type: str = TYPE) -> Recorded:
    time = time_of(position)
    return Recorded(position, key, version, type, 1, key, time, time, '{"n": 1}', "{}")


class Book:
    """Events of ten streams in turn, one version after the other."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []

    def append(self, number: int, type: str = TYPE) -> list[Recorded]:
        end = len(self.events)
        new = [event(end + n, f"key-{(end + n) % 10}", (end + n - 1) // 10 + 1, type) for n in range(1, number + 1)]
        self.events += new
        return new

    def positions(self, partitions: int) -> dict[int, list[int]]:
        return _by_partition((partition_of(e.order_key, partitions), e.position) for e in self.events)


def publish(broker: Broker, topic: Topic, events: Sequence[Recorded], size: int = 100) -> None:
    """In transactions of so many, and marks, so that all partitions get to the end."""
    with publisher(broker, topic) as made:
        for first in range(0, len(events), size):
            made.publish(events[first : first + size])
        made.mark()


class FileReadModel:
    """A read model that processes share, and that is moved by compare and set as the real ones are."""

    def __init__(self, path: Path, partitions: int) -> None:
        self._path = path
        self._partitions = partitions

    def places(self) -> dict[int, Place]:
        with self._locked() as kept:
            return {
                partition: Place(position, time_of(position) if position else None)
                for partition, position in enumerate(kept["at"])
            }

    def write(self, batches: Sequence[Batch]) -> None:
        with self._locked() as kept:
            if any(kept["at"][batch.partition] != batch.after for batch in batches):
                raise Overtaken
            for batch in batches:
                kept["at"][batch.partition] = batch.upto
                kept["taken"] += [[batch.partition, event.position] for event in batch.events]
                kept["gaps"] += [list(gap) for gap in batch.gaps]

    def stand_at(self, position: int) -> None:
        with self._locked() as kept:
            kept["at"] = [position] * self._partitions

    @property
    def at(self) -> list[int]:
        with self._locked() as kept:
            return list(kept["at"])

    @property
    def gaps(self) -> list[list[Any]]:
        with self._locked() as kept:
            return list(kept["gaps"])

    @property
    def taken(self) -> dict[int, list[int]]:
        """The positions that were taken, partition by partition, in the order in which they were."""
        with self._locked() as kept:
            return _by_partition(kept["taken"])

    @contextmanager
    def _locked(self) -> Iterator[dict[str, Any]]:
        with self._path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            text = file.read()
            kept = json.loads(text) if text else {"at": [0] * self._partitions, "taken": [], "gaps": []}
            yield kept
            if (changed := json.dumps(kept)) != text:
                file.truncate(0)
                file.write(changed)


def feed_of(settings: Settings, topic: Topic, model: FileReadModel, **options: Any) -> TopicFeed:
    """Its session is over as soon as a broker allows, and it looks often at what topic it is."""
    given = {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 500, "metadata_max_age_ms": 500, **options}
    group = f"{topic.name}.{GROUP}"
    return TopicFeed(connection(settings), *topic, group=group, types=[TYPE], places=model.places, **given)


def held(feed: TopicFeed) -> set[int]:
    return set(feed._held)


def turn(feed: TopicFeed, model: FileReadModel) -> Sequence[Batch]:
    """What a projector does."""
    try:
        batches = feed.read()
        model.write(batches)
    except Overtaken:
        feed.rewind()
        return ()
    return batches


def turn_until(condition: Callable[[], object], model: FileReadModel, *feeds: TopicFeed, patience: float = 60) -> None:
    """Condition is met before the next turn, and each turn waits for the broker by itself."""
    deadline = monotonic() + patience
    while not condition():
        assert monotonic() < deadline, f"it did not come to pass: {model.at}"
        for feed in feeds:
            turn(feed, model)


class WithReaders:
    """Tests with a topic of twelve partitions, and readers of it that share one read model and one group."""

    @pytest.fixture
    def topic(self) -> Topic:
        return fresh(12)

    @pytest.fixture
    def book(self) -> Book:
        return Book()

    @pytest.fixture
    def model(self, tmp_path: Path, topic: Topic) -> FileReadModel:
        return FileReadModel(tmp_path / "model", topic.partitions)

    @pytest.fixture
    def open_feed(self, broker: Broker, topic: Topic, model: FileReadModel) -> Iterator[Open]:
        with ExitStack() as stack:

            def open_feed(**options: Any) -> TopicFeed:
                feed = feed_of(broker.settings, topic, model, **options)
                stack.callback(feed.close)
                return feed

            yield open_feed


def _by_partition(pairs: Iterable[Sequence[int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for partition, position in pairs:
        found.setdefault(partition, []).append(position)
    return found


def main(bootstrap: str, name: str, partitions: str, ledger: str, path: str) -> None:
    stopped = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    topic = Topic(name, int(partitions), ledger)
    model = FileReadModel(Path(path), topic.partitions)
    feed = feed_of(Settings(kafka_bootstrap=bootstrap), topic, model)
    while not stopped.is_set():
        turn(feed, model)
    feed.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
