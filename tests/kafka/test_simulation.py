"""A short simulation. A longer one: ``make soak``."""

from pathlib import Path
from unittest.mock import MagicMock

from infra.kafka.broker import Broker
from infra.postgres.connection import Database
from tests.kafka.plant import Plant
from tests.kafka.simulation import Simulation, simulate

SEED = 1


def test_whatever_happens_book_topic_and_read_models_agree_in_the_end(
    frail_broker: Broker, frail_database: Database, tmp_path: Path
) -> None:
    with Plant(frail_broker, frail_database, tmp_path) as plant:
        simulate(plant, SEED)


def test_a_seed_gives_the_same_deeds_again_and_another_others() -> None:
    def deeds(seed: int) -> list[str]:
        simulation = Simulation(MagicMock(), MagicMock(), seed)
        simulation.run(200)
        return simulation.done

    assert deeds(1) == deeds(1) != deeds(2)


def test_all_that_can_happen_does() -> None:
    simulation = Simulation(MagicMock(), MagicMock(), SEED)
    simulation.run(2_000)
    deeds = {name for name in vars(Simulation) if not name.startswith("_")} - {"run"}
    assert set(simulation.done) == deeds
