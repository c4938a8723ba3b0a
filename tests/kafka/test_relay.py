"""The relay between a real book and a real broker: every event once and in order, whatever dies."""

import signal
import sys
from collections.abc import Iterator

import pytest

from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.topic import administration, delete, ensure
from infra.postgres.connection import Database
from infra.postgres.writer import Writer
from tests.integration.writing import query, until
from tests.kafka.carrying import NEVER, are_carried, check_order, messages
from tests.kafka.relaying import (
    PARTITIONS,
    Book,
    at,
    batons,
    carries,
    killed_at,
    lost,
    messages_so_far,
    process,
    relaying,
    resident,
    standing_by,
    terminate_all,
    terminate_holder,
)


@pytest.fixture
def book(database: Database) -> Iterator[Book]:
    writer = Writer(database)
    yield Book(database, writer)
    writer.close()


class TestInOrder:
    def test_every_event_is_in_the_topic_once(self, broker: Broker, book: Book) -> None:
        book.grow(7_001)
        with relaying(broker, book):
            book.carried(broker)
            for _ in range(20):
                book.grow(3)
            book.carried(broker)

    def test_readers_of_quiet_partitions_learn_how_far_the_book_is(self, broker: Broker, book: Book) -> None:
        with relaying(broker, book):
            book.grow(2)

            def marked() -> bool:
                last = {each.partition: each.position for each in messages(broker, book.topic)}
                return last == dict.fromkeys(range(PARTITIONS), 2)

            until(lambda: at() == 2, patience=NEVER)
            until(marked, patience=NEVER)
            check_order(messages(broker, book.topic))

    def test_a_relay_that_comes_after_goes_on(self, broker: Broker, book: Book) -> None:
        for _ in range(3):
            book.grow(100)
            with relaying(broker, book):
                book.carried(broker)

    def test_a_broker_with_tls_and_passwords_is_served_alike(self, secured_broker: Broker, book: Book) -> None:
        book.grow(100)
        with relaying(secured_broker, book):
            until(lambda: at() == book.size, patience=NEVER)


class TestATopicThatIsDeleted:
    def test_is_filled_again_from_the_first_event(self, broker: Broker, book: Book) -> None:
        book.grow(500)
        before = lost("topic gone")
        with relaying(broker, book):
            book.carried(broker)
            with administration(connection(broker.settings)) as admin:
                delete(admin, book.topic.name)
            until(lambda: lost("topic gone") > before, patience=NEVER)
            book.grow(5)
            book.carried(broker)

    def test_and_made_again_by_others_under_load_is_filled_from_the_first_event(
        self, broker: Broker, book: Book
    ) -> None:
        book.grow(500)
        before = lost()
        with relaying(broker, book):
            book.carried(broker)
            with administration(connection(broker.settings)) as admin:
                delete(admin, book.topic.name)
                ensure(admin, book.topic)
            book.grow(500)
            until(lambda: lost() > before, patience=NEVER)
            book.carried(broker)


class TestABrokerThatIsAway:
    def test_and_comes_back_has_everything_once(self, frail_broker: Broker, book: Book) -> None:
        book.grow(1_000)
        with relaying(frail_broker, book, stall=3.0):
            book.carried(frail_broker)
            for fell in (frail_broker.kill, frail_broker.stop):
                book.grow(500)
                fell()
                book.grow(500)
                frail_broker.start()
                book.carried(frail_broker)

    def test_for_longer_than_a_delivery_may_take_is_got_over(self, frail_broker: Broker, book: Book) -> None:
        """The first defect of kafka-python: a producer that sends nothing any more after such an outage."""
        before = lost("stalled", "failed", "unreachable")
        with relaying(frail_broker, book, stall=20.0, delivery_timeout_ms=1_200, request_timeout_ms=1_000):
            book.grow(1_000)
            book.carried(frail_broker)
            frail_broker.pause()
            book.grow(1_000)
            until(lambda: lost("stalled", "failed", "unreachable") > before, patience=NEVER)
            frail_broker.resume()
            book.carried(frail_broker)

    def test_leaves_the_book_open_and_no_more_than_a_batch_in_memory(self, frail_broker: Broker, book: Book) -> None:
        large = f'"{"x" * 20_000}"'
        with process(frail_broker, book) as relay:
            book.grow(100)
            until(carries(frail_broker, book), patience=NEVER)
            frail_broker.pause()
            size = resident(relay.pid)
            book.grow(8_000, payload=large)
            query(book.database, "SELECT pg_sleep(1)")
            assert resident(relay.pid) - size < 8_000 * 20_000 / 2
            frail_broker.resume()
            until(carries(frail_broker, book), patience=NEVER)
        are_carried(frail_broker, book.topic, book.size)


class TestARelayThatIsKilled:
    def test_in_a_transaction_is_followed_by_one_that_begins_with_that_again(self, broker: Broker, book: Book) -> None:
        book.grow(20_000)
        with process(broker, book, program=(sys.executable, "-c", killed_at(3))) as relay:
            assert relay.wait(NEVER) == -signal.SIGKILL
        are_carried(broker, book.topic, 10_000)
        with relaying(broker, book):
            book.carried(broker)

    def test_at_any_moment_is_followed_by_one_that_goes_on(self, broker: Broker, book: Book) -> None:
        for _ in range(3):
            book.grow(8_000)
            before = len(messages_so_far(broker, book))
            with process(broker, book) as relay:
                until(lambda before=before: len(messages_so_far(broker, book)) > before, patience=NEVER)
                relay.kill()
        with relaying(broker, book):
            book.carried(broker)


class TestTwoRelays:
    def test_one_works_and_the_other_takes_over(self, broker: Broker, book: Book) -> None:
        with process(broker, book) as first:
            book.grow(50)
            until(carries(broker, book), patience=NEVER)
            with relaying(broker, book):
                until(lambda: standing_by() == 1, patience=NEVER)
                book.grow(50)
                until(carries(broker, book), patience=NEVER)
                assert at() == 0
                first.kill()
                until(lambda: standing_by() == 0, patience=NEVER)
                book.grow(50)
                book.carried(broker)

    def test_one_that_has_lost_its_baton_unawares_is_fenced(self, broker: Broker, book: Book) -> None:
        """If in the middle of its commit, the broker has no better word for it than an unknown error."""
        before = lost()
        book.grow(10)
        with process(broker, book):
            until(carries(broker, book), patience=NEVER)
            with relaying(broker, book):
                until(lambda: standing_by() == 1, patience=NEVER)
                terminate_holder(book.database)
                until(lambda: standing_by() == 0, patience=NEVER)
                until(lambda: book.grow(1) or len(batons(book.database)) == 2, patience=NEVER)  # it asks for it again
                book.carried(broker)
                terminate_holder(book.database)
                until(lambda: book.grow(1) or standing_by() == 1, patience=NEVER)
                are_carried(broker, book.topic, book.size)
        assert lost() == before + 1

    def test_whose_database_was_away_go_on(self, broker: Broker, book: Book) -> None:
        with relaying(broker, book):
            for _ in range(5):
                book.grow(500)
                terminate_all(book.database)
            book.carried(broker)
