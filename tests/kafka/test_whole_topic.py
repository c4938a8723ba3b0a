"""Whatever becomes of the topic, the feed goes on from where the read model is, or says why not. It never skips."""

import os
from pathlib import Path

import pytest
from kafka import KafkaProducer

from consumers.ports import Topic
from infra.kafka.broker import Broker
from infra.kafka.chain import Foreign, Lost
from infra.kafka.connection import connection
from infra.kafka.figures import SOUGHT_AGAIN
from infra.kafka.topic import TopicUnfit, administration, delete
from infra.partitions import partition_of
from tests.kafka.carrying import fresh, publisher
from tests.kafka.reading import Book, FileReadModel, Open, WithReaders, event, feed_of, held, publish, turn, turn_until


def sought_again(sign: str) -> float:
    return float(SOUGHT_AGAIN.labels(sign)._value.get())


class TestTopic(WithReaders):
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


class TestWhatDoesNotFollow(WithReaders):
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


class TestSize(WithReaders):
    def test_a_message_larger_than_a_fetch_is_brought(
        self, broker: Broker, topic: Topic, model: FileReadModel, open_feed: Open
    ) -> None:
        large = [event(n, "key", n)._replace(payload=f'"{os.urandom(2_000_000).hex()}"') for n in range(1, 4)]
        publish(broker, topic, large, 1)
        feed = open_feed()
        turn_until(lambda: min(model.at) == 3, model, feed)
        assert model.taken == {partition_of("key", 12): [1, 2, 3]}
