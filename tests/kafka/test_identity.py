"""Two ledgers of one name on one broker: the topic is whose who was there first; of two that find it empty, one's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from consumers.ports import Fenced, Topic
from infra.kafka.broker import Broker
from infra.kafka.chain import Strange
from infra.kafka.connection import connection
from infra.kafka.publisher import TopicPublisher
from tests.kafka.carrying import are_carried, fresh, many, messages


class TestAnotherLedgerOfTheSameName:
    @pytest.fixture
    def topic(self) -> Topic:
        return fresh()

    @pytest.fixture
    def theirs(self, topic: Topic) -> Topic:
        return topic._replace(ledger=str(uuid4()))

    @pytest.fixture
    def open_one(self, broker: Broker) -> Iterator[Callable[[Topic], TopicPublisher]]:
        """Publishers that have looked, and not taken over."""
        with ExitStack() as stack:

            def open_one(topic: Topic) -> TopicPublisher:
                made = TopicPublisher(connection(broker.settings), "k", topic)
                stack.callback(made.close)
                return made

            yield open_one

    def test_is_refused_before_anybody_is_fenced_or_anything_written(
        self, broker: Broker, topic: Topic, theirs: Topic, open_one: Callable[[Topic], TopicPublisher]
    ) -> None:
        ours = open_one(topic)
        ours.take_over()
        ours.publish(many(1, 10))
        with pytest.raises(Strange) as refused:
            open_one(theirs)
        assert topic.ledger in str(refused.value)
        assert theirs.ledger in str(refused.value)
        assert "elete" not in str(refused.value)
        ours.publish(many(11, 20))
        are_carried(broker, topic, 20)

    @pytest.mark.parametrize("written", [True, False])
    def test_that_found_it_empty_at_the_same_time_sees_what_the_other_has_written_or_fences_it(
        self,
        broker: Broker,
        topic: Topic,
        theirs: Topic,
        open_one: Callable[[Topic], TopicPublisher],
        written: bool,
    ) -> None:
        one, other = open_one(topic), open_one(theirs)
        one.take_over()
        if written:
            one.publish(many(1, 5))
            with pytest.raises(Strange):
                other.take_over()
            winner = topic
        else:
            other.take_over()
            with pytest.raises(Fenced):
                one.publish(many(1, 5))
            other.publish(many(1, 5))
            with pytest.raises(Strange):
                open_one(topic)
            winner = theirs
        are_carried(broker, topic, 5)
        assert {each.headers["ce_ledgerid"] for each in messages(broker, topic)} == {winner.ledger}
        again = open_one(winner)  # who was fenced by a stranger looks again
        again.take_over()
        again.publish(many(6, 10))
        are_carried(broker, topic, 10)
