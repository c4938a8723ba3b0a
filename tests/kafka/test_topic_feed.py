"""The feed from the topic shares partitions with others, and gets over a broker or a consumer that fails."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka import TopicPartition as Partition

from commands.ports import Unavailable
from consumers.ports import Topic
from infra.kafka import feed as feed_module
from infra.kafka import membership
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.figures import REMADE
from infra.kafka.membership import verdict
from infra.kafka.ports import free_port
from infra.settings import Settings
from tests.kafka.carrying import fresh
from tests.kafka.reading import GROUP, Book, FileReadModel, Open, WithReaders, feed_of, held, publish, turn, turn_until


@pytest.fixture
def quick_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "WATCH", 0.5)


def remade() -> float:
    return sum(sample.value for metric in REMADE.collect() for sample in metric.samples if "total" in sample.name)


@contextmanager
def reader(broker: Broker, topic: Topic, path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Another consumer of the group, in a process of its own."""
    command = [sys.executable, "-m", "tests.kafka.reading", broker.bootstrap]
    command += [topic.name, str(topic.partitions), topic.ledger, path]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


class TestShares(WithReaders):
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
class TestSpare(WithReaders):
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
class TestMissedRebalance(WithReaders):
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


class TestBroker(WithReaders):
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
            with pytest.raises(Unavailable):
                feed.read()
        assert set(threading.enumerate()) == before
        feed.close()


class TestOffsets(WithReaders):
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
