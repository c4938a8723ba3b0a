"""The feed from the topic shares partitions with others, gets over whatever becomes of the topic, and never skips."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka import TopicPartition as Partition
from kafka.errors import KafkaError

from consumers.ports import Topic
from infra.kafka import feed as feed_module
from infra.kafka import membership
from infra.kafka.broker import Broker
from infra.kafka.chain import Foreign, Lost
from infra.kafka.connection import connection
from infra.kafka.feed import TopicFeed
from infra.kafka.figures import REMADE, SOUGHT_AGAIN
from infra.kafka.membership import verdict
from infra.kafka.ports import free_port
from infra.kafka.topic import TopicUnfit, administration, delete, identity
from infra.partitions import partition_of
from infra.settings import Settings
from tests.kafka.carrying import fresh, publisher
from tests.kafka.reading import GROUP, Book, FileReadModel, event, feed_of, publish, turn, turn_until

Open = Callable[..., TopicFeed]


@pytest.fixture
def topic() -> Topic:
    return fresh(12)


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def model(tmp_path: Path, topic: Topic) -> FileReadModel:
    return FileReadModel(tmp_path / "model", topic.partitions)


@pytest.fixture
def open_feed(broker: Broker, topic: Topic, model: FileReadModel) -> Iterator[Open]:
    """Feeds of one group on one read model."""
    with ExitStack() as stack:

        def open_feed(**options: Any) -> TopicFeed:
            feed = feed_of(broker.settings, topic, model, **options)
            stack.callback(feed.close)
            return feed

        yield open_feed


@pytest.fixture
def quick_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "WATCH", 0.5)


def remade() -> float:
    return sum(sample.value for metric in REMADE.collect() for sample in metric.samples if "total" in sample.name)


def sought_again(sign: str) -> float:
    return float(SOUGHT_AGAIN.labels(sign)._value.get())


def held(feed: TopicFeed) -> set[int]:
    return set(feed._held)


@contextmanager
def reader(broker: Broker, topic: Topic, path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Another consumer of the group, in a process of its own."""
    command = [sys.executable, "-m", "tests.kafka.reading", broker.bootstrap, topic.name, str(topic.partitions), path]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


class TestShares:
    def test_two_take_every_event_once_in_order_while_they_come_and_go(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        publish(broker, topic, book.append(300))
        first, second = open_feed(), open_feed()
        turn_until(lambda: held(first), model, first)
        assert held(first) == set(range(12))
        turn_until(lambda: held(second) and not held(first) & held(second), model, first, second)
        assert held(first) | held(second) == set(range(12))
        publish(broker, topic, book.append(300))
        turn_until(lambda: min(model.at) == 600, model, first, second)
        first.close()
        publish(broker, topic, book.append(300))
        turn_until(lambda: min(model.at) == 900, model, second)
        assert model.taken == book.positions(12)

    def test_the_partitions_of_one_that_is_killed_are_taken_over(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        publish(broker, topic, book.append(300))
        feed = open_feed()
        with reader(broker, topic, model._path) as other:
            turn_until(lambda: 0 < len(held(feed)) < 12 and min(model.at) == 300, model, feed)
            other.kill()
            other.wait()
            publish(broker, topic, book.append(300))
            turn_until(lambda: min(model.at) == 600, model, feed)
        assert model.taken == book.positions(12)

    def test_one_that_was_paused_beyond_its_session_writes_nothing_twice_and_comes_back(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        publish(broker, topic, book.append(300))
        feed = open_feed()
        with reader(broker, topic, model._path) as other:
            turn_until(lambda: 0 < len(held(feed)) < 12 and min(model.at) == 300, model, feed)
            other.send_signal(signal.SIGSTOP)
            publish(broker, topic, book.append(300))
            turn_until(lambda: min(model.at) == 600, model, feed)
            assert held(feed) == set(range(12))
            other.send_signal(signal.SIGCONT)
            publish(broker, topic, book.append(300))
            turn_until(lambda: len(held(feed)) < 12, model, feed)
            turn_until(lambda: min(model.at) == 900, model, feed)
        assert model.taken == book.positions(12)


@pytest.mark.usefixtures("quick_watch")
class TestSpare:
    @pytest.fixture
    def topic(self) -> Topic:
        return fresh(1)

    def test_waits_without_being_thrown_away_and_takes_over(
        self,
        broker: Broker,
        topic: Topic,
        book: Book,
        model: FileReadModel,
        open_feed: Open,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        answers: list[str | None] = []

        def asked(*given: Any, **settling: Any) -> str | None:
            answers.append(verdict(*given, **settling))
            return answers[-1]

        monkeypatch.setattr(membership, "verdict", asked)
        publish(broker, topic, book.append(50))
        feeds = [open_feed(), open_feed()]
        turn_until(lambda: len(answers) >= 3 and min(model.at) == 50, model, *feeds)
        assert set(answers) == {None}
        [busy] = [feed for feed in feeds if held(feed)]
        [spare] = [feed for feed in feeds if not held(feed)]
        busy.close()
        publish(broker, topic, book.append(50))
        turn_until(lambda: min(model.at) == 100, model, spare)
        assert model.taken == book.positions(1)


class Hasty(KafkaConsumer):  # type: ignore[misc]
    """Gives up at once whenever it waits for its group."""

    def poll(self, timeout_ms: float = 0, **given: Any) -> Any:
        sleep(timeout_ms / 10_000)
        return super().poll(0, **given)


@pytest.mark.usefixtures("quick_watch")
class TestMissedRebalance:
    def test_a_consumer_that_missed_its_partitions_is_thrown_away(
        self,
        broker: Broker,
        topic: Topic,
        book: Book,
        model: FileReadModel,
        open_feed: Open,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Defect of kafka-python 3.0: a consumer whose poll() returns while it joins stays without partitions."""
        made: list[KafkaConsumer] = []

        def make(**options: Any) -> KafkaConsumer:
            made.append((KafkaConsumer if made else Hasty)(**options))
            return made[-1]

        monkeypatch.setattr(feed_module, "KafkaConsumer", make)
        publish(broker, topic, book.append(100))
        before = remade()
        feed = open_feed()
        turn_until(lambda: min(model.at) == 100, model, feed)
        assert remade() == before + 1
        assert len(made) == 2
        assert made[0]._closed


class TestTopic:
    def test_that_is_not_there_yet_is_waited_for(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        feed = open_feed()
        assert not any(turn(feed, model) for _ in range(3))
        publish(broker, topic, book.append(100))
        turn_until(lambda: min(model.at) == 100, model, feed)
        assert model.taken == book.positions(12)

    def test_that_was_deleted_and_is_filled_again_is_gone_on_with(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        publish(broker, topic, book.append(200))
        feed = open_feed()
        turn_until(lambda: min(model.at) == 200, model, feed)
        remove(broker, topic)
        turn_until(lambda: not held(feed), model, feed)
        book.append(200)
        publish(broker, topic, book.events)
        turn_until(lambda: min(model.at) == 400, model, feed)
        assert model.taken == book.positions(12)

    @pytest.mark.parametrize(("before", "after"), [(200, 3), (3, 200)], ids=["later offsets", "earlier offsets"])
    def test_that_was_made_again_unseen_with_other_offsets_is_gone_on_with(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open, before: int, after: int
    ) -> None:
        """In transactions of other sizes there are other numbers of markers between the messages."""
        publish(broker, topic, book.append(200), before)
        feed = open_feed()
        turn_until(lambda: min(model.at) == 200, model, feed)
        remove(broker, topic)
        book.append(400)
        publish(broker, topic, book.events, after)
        turn_until(lambda: min(model.at) == 600, model, feed)
        assert model.taken == book.positions(12)

    def test_that_is_filled_again_while_it_is_read_gives_nothing_twice(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        publish(broker, topic, book.append(200))
        feed = open_feed()
        turn_until(lambda: min(model.at) == 200, model, feed)
        remove(broker, topic)
        book.append(200)
        with publisher(broker, topic) as again:
            for first in range(0, 400, 10):
                again.publish(book.events[first : first + 10])
                turn(feed, model)
            again.mark()
        turn_until(lambda: min(model.at) == 400, model, feed)
        assert model.taken == book.positions(12)

    def test_with_more_partitions_than_the_read_model_is_refused(
        self, broker: Broker, topic: Topic, book: Book, tmp_path: Path
    ) -> None:
        publish(broker, topic, book.append(10))
        few = FileReadModel(tmp_path / "few", 3)
        feed = feed_of(broker.settings, Topic(topic.name, 3), few)
        try:
            with pytest.raises(TopicUnfit, match="has a partition 3, and the read model has not"):
                turn_until(lambda: False, few, feed)
        finally:
            feed.close()


def remove(broker: Broker, topic: Topic) -> None:
    with administration(connection(broker.settings)) as admin:
        delete(admin, topic.name)
        deadline = monotonic() + 30
        while identity(admin, topic.name):
            assert monotonic() < deadline
            sleep(0.05)


class TestWhatDoesNotFollow:
    @pytest.fixture
    def topic(self) -> Topic:
        return fresh(2)

    def test_a_hole_is_told_and_not_skipped_until_the_topic_is_whole(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        book.append(60)
        with publisher(broker, topic) as losing:
            losing.publish(book.events[:20])
            losing._last = dict.fromkeys(range(2), 40)
            losing.publish(book.events[40:])
            losing.mark()
        feed = open_feed()
        for _ in range(2):
            with pytest.raises(Lost, match=f"The topic {topic.name} has lost messages of partition"):
                turn_until(lambda: False, model, feed)
            feed.rewind()
        assert max(model.at) == 20
        before = sought_again("lost")
        remove(broker, topic)
        publish(broker, topic, book.events)
        turn_until(lambda: min(model.at) == 60, model, feed)
        assert model.taken == book.positions(2)
        assert sought_again("lost") == before

    def test_what_seems_lost_is_sought_once_more(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        publish(broker, topic, book.append(60))
        before = sought_again("lost")
        feed = open_feed()
        turn_until(lambda: min(model.at) == 60, model, feed)
        model.stand_at(20)
        for chain in feed._held.values():
            assert chain
            chain.at = 20
        publish(broker, topic, book.append(60))
        turn_until(lambda: min(model.at) == 120, model, feed)
        assert sought_again("lost") == before + 2
        assert [model.taken[p] for p in range(2)] == [
            [*(n for n in known if n <= 60), *(n for n in known if n > 20)]
            for _, known in sorted(book.positions(2).items())
        ]

    def test_a_skipped_version_is_told_with_its_stream(
        self, broker: Broker, topic: Topic, model: FileReadModel, open_feed: Open
    ) -> None:
        skipping = [event(1, "a", 1), event(2, "b", 1), event(3, "a", 3), event(4, "b", 2)]
        publish(broker, topic, skipping)
        feed = open_feed()
        turn_until(lambda: min(model.at) == 4, model, feed)
        assert model.gaps == [["a", "a", 2, 3, 3]]
        assert sum(len(taken) for taken in model.taken.values()) == 4

    def test_a_message_that_is_not_ours_halts_its_partition_and_is_told(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        with publisher(broker, topic) as made:
            made.publish(book.append(40))
            made.mark()
            found = intrude(broker, topic, partition=1)
            made.publish(book.append(40))
            made.mark()
        feed = open_feed()
        for _ in range(2):
            with pytest.raises(Foreign, match=f"Offset {found} of partition 1 of the topic {topic.name}"):
                turn_until(lambda: False, model, feed)
            feed.rewind()
        assert model.at == [80, 40]
        assert model.taken == {
            partition: [n for n in positions if partition == 0 or n <= 40]
            for partition, positions in book.positions(2).items()
        }


def intrude(broker: Broker, topic: Topic, partition: int) -> int:
    """Gives the offset."""
    producer = KafkaProducer(**connection(broker.settings))
    try:
        return int(producer.send(topic.name, b"hello", partition=partition).get(timeout=30).offset)
    finally:
        producer.close()


class TestBroker:
    def test_that_was_killed_is_gone_on_with(
        self, own_broker: Callable[[], Broker], topic: Topic, book: Book, model: FileReadModel
    ) -> None:
        broker = own_broker()
        publish(broker, topic, book.append(100))
        feed = feed_of(broker.settings, topic, model)
        turn_until(lambda: min(model.at) == 100, model, feed)
        broker.kill()
        assert not any(turn(feed, model) for _ in range(3))
        broker.start()
        publish(broker, topic, book.append(100))
        turn_until(lambda: min(model.at) == 200, model, feed)
        feed.close()
        assert model.taken == book.positions(12)

    def test_that_hangs_does_not_keep_a_feed_from_closing(
        self, own_broker: Callable[[], Broker], topic: Topic, book: Book, model: FileReadModel
    ) -> None:
        broker = own_broker()
        publish(broker, topic, book.append(100))
        feed = feed_of(broker.settings, topic, model)
        turn_until(lambda: min(model.at) == 100, model, feed)
        broker.pause()
        begun = monotonic()
        feed.close()
        assert monotonic() - begun < 10

    def test_that_is_away_is_told_and_nothing_is_left_of_the_attempt(self, topic: Topic, model: FileReadModel) -> None:
        away = Settings(kafka_bootstrap=f"localhost:{free_port()}")
        feed = feed_of(away, topic, model, bootstrap_timeout_ms=200)
        before = set(threading.enumerate())
        for _ in range(3):
            with pytest.raises(KafkaError):
                feed.read()
        assert set(threading.enumerate()) == before
        feed.close()


class TestOffsets:
    def test_are_told_to_lag_tools_once_written(
        self,
        broker: Broker,
        topic: Topic,
        book: Book,
        model: FileReadModel,
        open_feed: Open,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(feed_module, "COMMIT_EVERY", 0.0)
        publish(broker, topic, book.append(100))
        feed = open_feed()
        turn_until(lambda: min(model.at) == 100, model, feed)
        turn_until(lambda: lag(broker, topic) == [0] * 12, model, feed)
        publish(broker, topic, book.append(100))
        assert max(lag(broker, topic)) > 0
        turn(feed, model)
        feed.close()
        assert lag(broker, topic) == [0] * 12

    def test_are_not_what_is_read_from(
        self, broker: Broker, topic: Topic, book: Book, model: FileReadModel, open_feed: Open
    ) -> None:
        publish(broker, topic, book.append(100))
        feed = open_feed()
        turn_until(lambda: min(model.at) == 100, model, feed)
        feed.close()
        assert lag(broker, topic) == [0] * 12
        model.stand_at(50)
        again = open_feed()
        turn_until(lambda: min(model.at) == 100, model, again)
        assert model.taken == {
            partition: [*positions, *(n for n in positions if n > 50)]
            for partition, positions in book.positions(12).items()
        }


def lag(broker: Broker, topic: Topic) -> list[int]:
    """As a tool that knows nothing of us would tell it; all there is where nothing was committed."""
    group = f"{topic.name}.{GROUP}"
    consumer = KafkaConsumer(**connection(broker.settings), group_id=group, enable_auto_commit=False)
    try:
        ends = consumer.end_offsets([Partition(topic.name, number) for number in range(topic.partitions)])
        return [end - (consumer.committed(each) or 0) for each, end in ends.items()]
    finally:
        consumer.close()


class TestSize:
    def test_a_message_larger_than_a_fetch_is_brought(
        self, broker: Broker, topic: Topic, model: FileReadModel, open_feed: Open
    ) -> None:
        large = [event(n, "key", n)._replace(payload=f'"{os.urandom(2_000_000).hex()}"') for n in range(1, 4)]
        publish(broker, topic, large, 1)
        feed = open_feed()
        turn_until(lambda: min(model.at) == 3, model, feed)
        assert model.taken == {partition_of("key", 12): [1, 2, 3]}
