"""Faults at random under load, many at once. A seed decides all of it: the same seed, the same deeds in that order."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from time import monotonic

from infra.embedded.server import embedded
from infra.kafka.broker import Broker
from infra.postgres.connection import Database
from infra.postgres.migrate import migrate
from tests.kafka.plant import Plant, Process
from tests.kafka.trade import Trading

STEPS = 12
MOST_RELAYS, MOST_CONSUMERS = 2, 3
PARTITIONS = 3, 5, 12

Deed = Callable[[], object]


class Simulation:
    """What it does depends on the seed and on what it did before, never on what time it is."""

    def __init__(self, plant: Plant, traded: Trading, seed: int) -> None:
        self._plant = plant
        self._traded = traded
        self._random = Random(seed)
        self._relays: list[Process] = []
        self._consumers: list[Process] = []
        self._paused: list[tuple[list[Process], Process]] = []
        self._broker_is_up = True
        self._partitions = 12
        self.done: list[str] = []

    def run(self, steps: int) -> None:
        self._do(self.start_a_relay)
        self._do(self.start_a_consumer)
        for _ in range(steps):
            self._do(self._random.choice(list(self._possible())))
        self._mend()

    def _do(self, deed: Deed) -> None:
        self.done.append(deed.__name__)
        deed()
        self._traded.grows(self._random.randint(10, 100))

    def _possible(self) -> Iterator[Deed]:
        """What is named twice is twice as likely."""
        yield from (self.kill_the_database, self.restart_serving)
        if len(self._relays) < MOST_RELAYS:
            yield from (self.start_a_relay, self.start_a_relay)
        if len(self._consumers) < MOST_CONSUMERS:
            yield from (self.start_a_consumer, self.start_a_consumer)
        if self._relays:
            yield from (self.kill_a_relay, self.pause_a_relay)
        if self._consumers:
            yield from (self.kill_a_consumer, self.pause_a_consumer)
            if not self._paused:
                yield self.stop_a_consumer  # it might have to wait for what a paused one has locked
        if self._paused:
            yield from (self.resume_one, self.resume_one)
        yield from self._of_the_broker()

    def _of_the_broker(self) -> Iterator[Deed]:
        if not self._broker_is_up:
            yield from [self.let_the_broker_return] * 4
            return
        yield from (self.kill_the_broker, self.pause_the_broker, self.delete_the_topic, self.move_to_other_partitions)
        yield self.let_a_relay_fall
        if self._relays:
            yield from (self.let_a_consumer_fall, self.let_a_consumer_fall)

    def start_a_relay(self) -> None:
        self._relays.append(self._plant.relay())

    def start_a_consumer(self) -> None:
        self._consumers.append(self._plant.consumer())

    def kill_a_relay(self) -> None:
        self._one_of(self._relays).kill()

    def kill_a_consumer(self) -> None:
        self._one_of(self._consumers).kill()

    def stop_a_consumer(self) -> None:
        self._one_of(self._consumers).stop()

    def pause_a_relay(self) -> None:
        self._pause(self._relays)

    def pause_a_consumer(self) -> None:
        self._pause(self._consumers)

    def resume_one(self) -> None:
        back, process = self._paused.pop(self._random.randrange(len(self._paused)))
        process.resume()
        back.append(process)

    def let_a_relay_fall(self) -> None:
        """It is the one that works."""
        while self._relays:
            self.kill_a_relay()
        moment = self._random.choice(["batch sent", "batch committed"])
        self._plant.relay(falls=f"{moment}:{self._random.randrange(3)}:SIGKILL").falls()

    def let_a_consumer_fall(self) -> None:
        moment = self._random.choice(["rows copied", "rows committed"])
        self._plant.consumer(falls=f"{moment}:{self._random.randrange(9)}:SIGKILL").falls()

    def kill_the_broker(self) -> None:
        self._plant.broker.kill()
        self._broker_is_up = False

    def pause_the_broker(self) -> None:
        self._plant.broker.pause()
        self._broker_is_up = False

    def let_the_broker_return(self) -> None:
        self._plant.bring_the_broker_back()
        self._broker_is_up = True

    def kill_the_database(self) -> None:
        self._plant.kill_database()

    def restart_serving(self) -> None:
        self._plant.restart_serving()

    def delete_the_topic(self) -> None:
        self._plant.delete_topic()

    def move_to_other_partitions(self) -> None:
        self._partitions = self._random.choice([number for number in PARTITIONS if number != self._partitions])
        self._plant.run("repartition", str(self._partitions))

    def _mend(self) -> None:
        """All goes on by itself, with one relay and one consumer at least."""
        while self._paused:
            self.resume_one()
        self.let_the_broker_return()
        if not self._relays:
            self.start_a_relay()
        if not self._consumers:
            self.start_a_consumer()

    def _one_of(self, processes: list[Process]) -> Process:
        return processes.pop(self._random.randrange(len(processes)))

    def _pause(self, processes: list[Process]) -> None:
        process = self._one_of(processes)
        process.pause()
        self._paused.append((processes, process))


def simulate(plant: Plant, seed: int, steps: int = STEPS) -> None:
    """In the end book, topic and read models agree; else it is told what was done."""
    with plant.trading(seed, pause=0.02) as traded:
        simulation = Simulation(plant, traded, seed)
        try:
            simulation.run(steps)
        except BaseException as error:
            raise AssertionError(_told(seed, simulation)) from error
    try:
        plant.agrees(traded)
    except BaseException as error:
        raise AssertionError(_told(seed, simulation)) from error


def _told(seed: int, simulation: Simulation) -> str:
    return f"SEED={seed}: {', '.join(simulation.done)}"


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gbs", dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def miss_the_broker(plant: Plant, seed: int, seconds: float = 60.0) -> None:
    """Commands are taken all the while, and the relay holds no more than before."""
    relay = plant.relay()
    plant.consumer()
    with plant.traded(seed) as traded:
        traded.grows(200)
        plant.broker.pause()
        end, before = monotonic() + seconds, relay.resident
        while monotonic() < end:
            traded.grows(100)
        assert relay.resident < before * 1.2
        plant.broker.resume()
    assert traded.answers.keys() == {201}


def soak(seed: int, minutes: float) -> None:
    end, numbers = monotonic() + minutes * 60, count()
    with _directory() as home, Broker(home / "kafka") as broker, embedded(home / "book") as dsn:
        while monotonic() < end:
            sys.stdout.write(f"SEED={seed}\n")
            sys.stdout.flush()
            for what in (partial(simulate, steps=STEPS * 5), miss_the_broker):
                with _plant(broker, dsn, home / f"logs-{next(numbers)}") as plant:
                    what(plant, seed)
            seed += 1


@contextmanager
def _plant(broker: Broker, dsn: str, logs: Path) -> Iterator[Plant]:
    logs.mkdir()
    database = Database(dsn, logs.name.replace("-", "_"))
    migrate(database)
    with Plant(broker, database, logs) as plant:
        yield plant
