"""A batch is in the topic whole or not at all, once, and the topic tells how far it is."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from threading import active_count
from time import monotonic
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import TopicPartition

from consumers.ports import Fenced, Place, PublisherLost, Topic
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.publisher import TopicPublisher
from infra.kafka.topic import TopicUnfit, administration, delete, ensure
from infra.partitions import partition_of
from tests.integration.writing import until
from tests.kafka.carrying import (
    NEVER,
    PAYLOAD,
    are_carried,
    check_order,
    events,
    fresh,
    many,
    marked,
    messages,
    publisher,
    recorded,
)

Make = Callable[..., TopicPublisher]


@pytest.fixture
def topic() -> Topic:
    return fresh()


@pytest.fixture
def make(broker: Broker, topic: Topic) -> Iterator[Make]:
    """Publishers of the test's topic."""
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(publisher(broker, topic, **more))


class Died(BaseException):
    """The process is no more: nothing is tidied up."""


def die_before_the_commit(made: TopicPublisher, first: int, last: int) -> None:
    def died() -> None:
        raise Died

    made._commit = died  # type: ignore[method-assign]
    with pytest.raises(Died):
        made.publish(many(first, last))


class TestWhatIsPublished:
    def test_is_there_once_and_in_order_in_each_partition(self, broker: Broker, topic: Topic, make: Make) -> None:
        made = make()
        made.publish(many(1, 400))
        made.publish(many(401, 401))
        made.publish(many(402, 1_000))
        are_carried(broker, topic, 1_000)
        assert made.place() == Place(1_000, recorded(1_000).recorded_at)

    def test_is_the_payload_to_the_byte_under_its_order_key(self, broker: Broker, topic: Topic, make: Make) -> None:
        make().publish([recorded(1, "client-Ä/1")])
        are_carried(broker, topic, 1)
        [message] = messages(broker, topic)
        assert message.value == PAYLOAD.encode()
        assert message.key == "client-Ä/1".encode()
        assert message.timestamp == 1767225601000  # 2026-01-01 00:00:01.000001
        assert message.headers["ce_time"] == "2026-01-01T00:00:01.000001+00:00"

    def test_is_where_any_clients_partitioner_puts_its_key(self, broker: Broker) -> None:
        keys = [f"deal-D{n}" for n in range(300)] + ["", "x", "клиент-1", "stock-P1/Lager Süd", "👍" * 50]
        theirs = fresh(12)
        with administration(connection(broker.settings)) as admin:
            ensure(admin, theirs)
        stranger = Producer({"bootstrap.servers": broker.bootstrap, "partitioner": "murmur2_random"})
        for key in keys:
            stranger.produce(theirs.name, key=key.encode(), value=b"", headers={"ce_type": "x"})
        assert stranger.flush(NEVER) == 0
        chosen = {message.key: message.partition for message in messages(broker, theirs)}
        assert chosen == {key.encode(): partition_of(key, 12) for key in keys}

    def test_may_be_as_large_as_a_command_brings(self, broker: Broker, topic: Topic, make: Make) -> None:
        large = f'"{"x" * 9_000_000}"'
        make().publish([recorded(1), recorded(2, payload=large), recorded(3)])
        are_carried(broker, topic, 3)


class TestThePlace:
    def test_of_an_empty_topic_is_0(self, make: Make) -> None:
        assert make().place() == Place(0, None)

    @pytest.mark.parametrize("marked", [False, True])
    def test_is_found_by_who_comes_after_and_goes_on(
        self, broker: Broker, topic: Topic, make: Make, marked: bool
    ) -> None:
        first = make()
        first.publish(many(1, 50))
        if marked:
            first.mark()
        first.close()
        second = make()
        assert second.place() == Place(50, "2026-01-01T00:00:50.000050+00:00")
        second.publish(many(51, 60))
        are_carried(broker, topic, 60)

    def test_is_before_what_a_dead_one_left_uncommitted(self, broker: Broker, topic: Topic, make: Make) -> None:
        first = make()
        first.publish(many(1, 50))
        die_before_the_commit(first, 51, 90)
        second = make()
        assert second.place().position == 50
        are_carried(broker, topic, 50)
        second.publish(many(51, 60))
        are_carried(broker, topic, 60)

    def test_is_found_beneath_thousands_of_aborted_messages(self, broker: Broker, topic: Topic, make: Make) -> None:
        make().publish([recorded(1, "a"), recorded(2, "b"), recorded(3, "c"), recorded(4, "d"), recorded(5, "e")])
        for _ in range(4):
            die_before_the_commit(make(), 6, 2_500)
        last = make()
        assert last.place().position == 5
        last.publish(many(6, 20))
        are_carried(broker, topic, 20)


class TestAMark:
    def test_tells_each_partition_that_is_behind_how_far_the_book_is(
        self, broker: Broker, topic: Topic, make: Make
    ) -> None:
        made = make()
        made.publish(many(1, 10))
        made.mark()
        found = marked(broker, topic, 2)
        check_order(found)
        assert {each.partition: each.position for each in found} == dict.fromkeys(range(3), 10)
        marks = [each for each in found if each.is_mark]
        assert len(marks) == 2
        assert {each.headers["ce_time"] for each in marks} == {"2026-01-01T00:00:10.000010+00:00"}
        assert {each.timestamp for each in marks} == {max(each.timestamp for each in events(found))}

    def test_is_not_written_twice(self, broker: Broker, topic: Topic, make: Make) -> None:
        first = make()
        first.mark()
        first.publish(many(1, 10))
        first.mark()
        first.mark()
        make().mark()
        assert len([each for each in marked(broker, topic, 2) if each.is_mark]) == 2

    def test_is_followed_by_events(self, broker: Broker, topic: Topic, make: Make) -> None:
        made = make()
        for last in range(10, 60, 10):
            made.publish(many(last - 9, last))
            made.mark()
        are_carried(broker, topic, 50)


class TestFencing:
    def test_the_next_publisher_fences_the_one_before(self, broker: Broker, topic: Topic, make: Make) -> None:
        first = make()
        first.publish(many(1, 10))
        second = make()
        with pytest.raises(Fenced):
            first.publish(many(11, 20))
        assert second.place().position == 10
        second.publish(many(11, 15))
        are_carried(broker, topic, 15)

    def test_one_that_is_fenced_before_its_commit_leaves_nothing(
        self, broker: Broker, topic: Topic, make: Make
    ) -> None:
        first = make()
        others: list[TopicPublisher] = []
        commit = first._commit

        def overtaken() -> None:
            others.append(make())
            commit()

        first._commit = overtaken  # type: ignore[method-assign]
        with pytest.raises(Fenced):
            first.publish(many(1, 10))
        assert others[0].place().position == 0
        assert messages(broker, topic) == []

    def test_one_that_was_fenced_fences_nobody(self, broker: Broker, topic: Topic, make: Make) -> None:
        first, second = make(), make()
        for _ in range(3):
            with pytest.raises((Fenced, PublisherLost)):
                first.publish(many(1, 10))
        first.close()
        second.publish(many(1, 10))
        are_carried(broker, topic, 10)


class TestATopicThatIsGone:
    def test_is_noticed_by_a_mark(self, broker: Broker, topic: Topic, make: Make) -> None:
        made = make()
        made.publish(many(1, 10))
        made.mark()
        with administration(connection(broker.settings)) as admin:
            delete(admin, topic.name)
        with pytest.raises(PublisherLost) as lost:
            made.mark()
        assert lost.value.reason == "topic gone"
        assert make().place().position == 0

    def test_is_noticed_by_an_event(self, broker: Broker, topic: Topic, make: Make) -> None:
        made = make()
        made.publish(many(1, 10))
        with administration(connection(broker.settings)) as admin:
            delete(admin, topic.name)
        with pytest.raises(PublisherLost) as lost:
            made.publish(many(11, 20))
        assert lost.value.reason == "topic gone"
        again = make()
        assert again.place().position == 0
        again.publish(many(1, 20))
        are_carried(broker, topic, 20)

    def test_and_was_made_again_is_never_gone_on_with(self, broker: Broker, topic: Topic, make: Make) -> None:
        made = make()
        made.publish(many(1, 10))
        with administration(connection(broker.settings)) as admin:
            delete(admin, topic.name)
            ensure(admin, topic)
        with pytest.raises((PublisherLost, Fenced)):
            made.publish(many(11, 20))
        assert messages(broker, topic) == []
        again = make()
        assert again.place().position == 0
        again.publish(many(1, 20))
        are_carried(broker, topic, 20)

    def test_in_part_is_refused(self, broker: Broker, topic: Topic, make: Make) -> None:
        made = make()
        made.publish(many(1, 50))
        with administration(connection(broker.settings)) as admin:
            admin.delete_records({TopicPartition(topic.name, partition_of("deal-D1", 3)): 3})
        with pytest.raises(TopicUnfit, match=f"{topic.name} has lost the beginning of partition"):
            make()

    def test_because_others_write_in_it_is_refused(self, broker: Broker, topic: Topic, make: Make) -> None:
        make().close()
        stranger = Producer({"bootstrap.servers": broker.bootstrap})
        stranger.produce(topic.name, key=b"k", value=b"{}", partition=1, headers={"ce_source": "/shop"})
        assert stranger.flush(NEVER) == 0
        with pytest.raises(TopicUnfit, match=f"{topic.name} holds what is not of this ledger: partition 1, offset 0"):
            make()

    def test_and_cannot_be_made_fit_is_refused(self, broker: Broker, topic: Topic, make: Make) -> None:
        make()
        with pytest.raises(TopicUnfit), publisher(broker, Topic(topic.name, 4)):
            pass


class TestABrokerThatDoesNotAnswer:
    """Whatever is waited for, the publisher is lost within its time, closes, and the next one goes on exactly there."""

    STALL = 3.0

    def lost(self, made: TopicPublisher, first: int, last: int) -> str:
        begun = monotonic()
        with pytest.raises(PublisherLost) as lost:
            made.publish(many(first, last))
        made.close()
        assert monotonic() - begun < NEVER
        return lost.value.reason

    def test_when_sent_to_is_given_up(self, frail_broker: Broker, topic: Topic) -> None:
        with publisher(frail_broker, topic, stall=self.STALL) as made:
            made.publish(many(1, 50))
            frail_broker.pause()
            assert self.lost(made, 51, 100) in ("stalled", "failed")
        frail_broker.resume()
        self.go_on(frail_broker, topic, after=(50,))

    def test_to_the_producer_alone_is_given_up_before(self, frail_broker: Broker, topic: Topic) -> None:
        """As kafka-python's may be after a broker was killed: the broker is well, and nothing is sent any more."""
        with publisher(frail_broker, topic, stall=600.0) as made:
            made.publish(many(1, 50))
            made._producer._sender._client.is_ready = lambda _: False
            assert self.lost(made, 51, 100) == "stalled"
        self.go_on(frail_broker, topic, after=(50,))

    def test_when_asked_to_commit_is_given_up_and_may_have_committed(self, frail_broker: Broker, topic: Topic) -> None:
        with publisher(frail_broker, topic, stall=self.STALL) as made:
            made.publish(many(1, 50))
            commit = made._commit

            def unanswered() -> None:
                frail_broker.pause()
                commit()

            made._commit = unanswered  # type: ignore[method-assign]
            assert self.lost(made, 51, 100) in ("stalled", "failed")
        frail_broker.resume()
        self.go_on(frail_broker, topic, after=(50, 100))

    def test_for_longer_than_the_delivery_timeout_commits_no_part_of_a_batch(
        self, frail_broker: Broker, topic: Topic
    ) -> None:
        """kafka-python gives up what it could not send in time, and would commit the rest."""
        quick = {"delivery_timeout_ms": 1_200, "request_timeout_ms": 1_000}
        with publisher(frail_broker, topic, stall=20.0, **quick) as made:
            made.publish(many(1, 50))
            append, flush, sent = made._producer._accumulator.append, made._producer.flush, count(1)

            def half(*message: Any) -> Any:
                if next(sent) == 1_500:
                    frail_broker.pause()
                return append(*message)

            def late(timeout: float) -> None:
                flush(timeout)
                frail_broker.resume()

            made._producer._accumulator.append, made._producer.flush = half, late
            self.lost(made, 51, 3_000)
        frail_broker.resume()
        self.go_on(frail_broker, topic, after=(50,))

    def test_when_it_is_to_be_asked_for_its_ends_is_given_up(self, frail_broker: Broker, topic: Topic) -> None:
        with publisher(frail_broker, topic) as made:
            made.publish(many(1, 50))
        frail_broker.pause()
        begun = monotonic()
        with pytest.raises(PublisherLost), publisher(frail_broker, topic, stall=self.STALL):
            pass
        assert monotonic() - begun < NEVER
        frail_broker.resume()
        self.go_on(frail_broker, topic, after=(50,))

    def test_because_it_is_not_there_is_told_of(self, frail_broker: Broker, topic: Topic) -> None:
        frail_broker.kill()
        with pytest.raises(PublisherLost) as lost, publisher(frail_broker, topic):
            pass
        assert lost.value.reason == "unreachable"

    @pytest.mark.parametrize("how", ["pause", "kill"])
    def test_leaves_no_thread_nor_socket_behind_however_often_it_is_tried(
        self, frail_broker: Broker, topic: Topic, how: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.CRITICAL, "kafka")  # records that are kept would keep sockets
        with publisher(frail_broker, topic) as made:
            made.publish(many(1, 50))
        getattr(frail_broker, how)()
        before = held()
        for _ in range(3):
            with pytest.raises(PublisherLost), publisher(frail_broker, topic, stall=1.0):
                pass
        until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)))

    def go_on(self, frail_broker: Broker, topic: Topic, after: tuple[int, ...]) -> None:
        with publisher(frail_broker, topic) as again:
            place = again.place().position
            assert place in after
            again.publish(many(place + 1, 200))
        are_carried(frail_broker, topic, 200)


def held() -> tuple[int, int]:
    """Threads and open files of this process; a socket that was refused is kept by a cycle until it is collected."""
    gc.collect()
    return active_count(), len(list(Path("/proc/self/fd").iterdir()))
