"""Relays, consumers, broker and database die and hang under load. In the end book, topic and read models agree, to the
row (Plant.traded)."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from infra.kafka.broker import Broker
from infra.postgres.connection import Database
from tests.integration.writing import until
from tests.kafka.plant import PATIENCE, Plant


@pytest.fixture
def plant(frail_broker: Broker, frail_database: Database, tmp_path: Path) -> Iterator[Plant]:
    with Plant(frail_broker, frail_database, tmp_path) as plant:
        yield plant


class TestRelays:
    def test_that_are_killed_in_mid_transaction(self, plant: Plant) -> None:
        plant.consumers(1)
        with plant.traded() as traded:
            for moment in ("batch sent:0", "batch committed:0", "batch sent:3", "batch committed:2"):
                plant.relay(falls=f"{moment}:SIGKILL").falls()
                traded.grows(20)
            plant.relay()
            traded.grows(20)

    def test_that_hang_in_mid_transaction_are_fenced_when_they_come_back(self, plant: Plant) -> None:
        plant.consumers(1)
        with plant.traded() as traded:
            zombie = plant.relay(falls="batch sent:2:SIGSTOP")
            zombie.falls()
            plant.relay()
            traded.grows(20)
            plant.catches_up()
            zombie.resume()
            zombie.says("fenced")
            traded.grows(20)
            assert zombie.is_alive


class TestConsumers:
    def test_that_are_killed_around_a_commit(self, plant: Plant) -> None:
        plant.relay()
        with plant.traded() as traded:
            for moment in ("rows copied:0", "rows committed:3", "rows copied:5"):
                plant.consumer(falls=f"{moment}:SIGKILL").falls()
                traded.grows(20)
            plant.consumers(2)
            traded.grows(20)

    def test_that_hang_in_mid_transaction_hold_up_nobody_and_change_nothing_when_they_come_back(
        self, plant: Plant
    ) -> None:
        """Beyond their session, and what the database bears."""
        plant.relay()
        with plant.traded() as traded:
            zombie = plant.consumer(falls="rows copied:9:SIGSTOP")
            zombie.falls()
            plant.consumer()
            traded.grows(20)
            plant.catches_up()
            zombie.resume()
            traded.grows(100)
            assert zombie.is_alive

    def test_that_come_and_go_at_random(self, plant: Plant) -> None:
        random = Random(6)
        plant.relay()
        with plant.traded() as traded:
            consumers = plant.consumers(2)
            for _ in range(5):
                if len(consumers) > 1 and random.random() < 0.5:
                    gone = consumers.pop(random.randrange(len(consumers)))
                    random.choice([gone.kill, gone.stop])()
                else:
                    consumers.append(plant.consumer())
                traded.grows(random.randint(10, 100))

    def test_of_one_group_have_each_partition_once_and_two_relays_share_nothing(self, plant: Plant) -> None:
        plant.relay()
        plant.relay()
        with plant.traded() as traded:
            plant.consumers(4)
            each_partition_has_one_owner(plant)
            traded.grows(300)
            each_partition_has_one_owner(plant)


def each_partition_has_one_owner(plant: Plant) -> None:
    alone = [1] * plant.topic.partitions
    until(lambda: all(owners == alone for owners in plant.shared().values()), PATIENCE)


class TestABroker:
    def test_that_is_killed(self, plant: Plant) -> None:
        plant.relay()
        plant.consumers(2)
        with plant.traded() as traded:
            for _ in range(2):
                traded.grows(50)
                plant.broker.kill()
                traded.grows(50)
                plant.broker.start()
            traded.grows(50)
        assert traded.answers.keys() == {201}

    def test_that_hangs_keeps_nobody_from_trading_and_fills_no_memory(self, plant: Plant) -> None:
        relay = plant.relay()
        plant.consumers(2)
        with plant.traded() as traded:
            traded.grows(100)
            plant.broker.pause()
            traded.grows(100)
            before = relay.resident
            traded.grows(1_000)
            assert relay.resident < before * 1.2
            plant.broker.resume()
        assert traded.answers.keys() == {201}


class TestATopic:
    def test_that_is_deleted_is_filled_again(self, plant: Plant) -> None:
        plant.relay()
        plant.consumers(2)
        with plant.traded() as traded:
            for _ in range(2):
                traded.grows(100)
                plant.catches_up()
                plant.delete_topic()

    def test_that_is_left_for_one_of_other_partitions(self, plant: Plant) -> None:
        plant.relay()
        plant.consumers(1)
        with plant.traded() as traded:
            traded.grows(50)
            falls = plant.consumer(falls="rows copied:20:SIGKILL")
            plant.run("repartition", "5")
            falls.falls()
            traded.grows(50)
        assert plant.topic.partitions == 5


def test_a_database_that_is_killed(plant: Plant) -> None:
    plant.relay()
    plant.consumers(2)
    with plant.traded() as traded:
        for _ in range(3):
            traded.grows(50)
            plant.kill_database()
        traded.grows(50)
    assert traded.answers.keys() <= {200, 201, 503}
