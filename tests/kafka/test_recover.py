"""A database that is restored to before the topic: everything halts, says so, and goes on when a person has decided."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from infra.kafka.broker import Broker
from tests.e2e.api import Api
from tests.e2e.cli import Cli
from tests.e2e.given import product, received, warehouse
from tests.e2e.load import eventually
from tests.e2e.serving import Up
from tests.on_call import OnCall

DAY = "2026-05-01"


def administer(dsn: str, *statements: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)


class Plant:
    """A ledger in a database of its own, which is backed up and restored by copies of its files."""

    def __init__(self, dsn: str, ledger: str, tmp_path: Path) -> None:
        self._dsn, self.name, self._tmp_path = dsn, f"d_{ledger}", tmp_path
        administer(dsn, f"CREATE DATABASE {self.name}")
        self.cli = Cli(make_dsn(dsn, dbname=self.name), ledger)

    def back_up(self) -> None:
        administer(self._dsn, f"CREATE DATABASE {self.name}_backup TEMPLATE {self.name}")

    def restore(self) -> None:
        copied = f"CREATE DATABASE {self.name} TEMPLATE {self.name}_backup"
        administer(self._dsn, f"DROP DATABASE {self.name} WITH (FORCE)", copied)

    @contextmanager
    def running(self) -> Iterator[Api]:
        self.cli.make()
        serve = Up(log=self._tmp_path / "serve", env=self.cli.env, how="serve")
        with (
            serve.start() as api,
            self.cli.staying("relay", says="Relaying", log=self._tmp_path / "relay"),
            self.cli.staying("consume", "stock", says="Projecting", log=self._tmp_path / "consume"),
        ):
            yield api
        assert serve.stop() == 0

    def said(self, process: str) -> str:
        return (self._tmp_path / process).read_text()


@pytest.fixture
def plant(dsn: str, topic: str, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    for name, value in broker.environment.items():
        monkeypatch.setenv(name, value)
    plant = Plant(dsn, topic.removesuffix(".events"), tmp_path)
    yield plant
    for name in (plant.name, f"{plant.name}_backup"):
        administer(dsn, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def on_hand(api: Api) -> list[str]:
    """As it is shown now; none if it is not."""
    return [row["on_hand"] for row in api.http.get("/v1/stock/balances").json().get("items", ())]


def lag(api: Api, projection: str = "stock") -> dict[str, Any]:
    return next(each for each in api.http.get("/v1/projections").json() if each["projection"] == projection)


def test_a_database_restored_to_before_the_topic_halts_all_and_is_recovered(plant: Plant, on_call: OnCall) -> None:
    cli = plant.cli
    on_call.env = cli.env
    with plant.running() as api:
        api.given(warehouse(), product(), received("50", on=DAY))
        eventually(lambda: on_hand(api) == ["50"])
    plant.back_up()
    with plant.running() as api:
        api.given(received("6000", on=DAY))
        eventually(lambda: on_hand(api) == ["6050"])
        eventually(lambda: lag(api)["behind_events"] == 0)
    plant.restore()

    with plant.running() as api:
        eventually(lambda: "relay halted" in plant.said("relay") and "stock halted" in plant.said("consume"))
        end = api.log_size()
        for said in (plant.said("relay"), plant.said("consume")):
            assert f"position {end + 1}" in said
            assert f"ends at {end}" in said
            assert "grossbuch recover" in said
            on_call.sees("the book was set back", said)
        assert (on_hand(api), lag(api)["behind_events"]) == (["50"], 0)

        api.given(received("1", on=DAY), received("1", on=DAY))
        refused = api.http.get("/v1/stock/balances", params={"min_position": api.written, "wait_ms": 3_000})
        assert refused.json()["code"] == "behind"
        assert lag(api)["behind_events"] == 2
        assert "has from" in on_call.types("grossbuch recover", status=3)
        shown = cli.json("recover", status=3)
        assert shown["topic"]["differs_from"]
        assert {each["name"]: each["differs_from"] for each in shown["projections"]}["stock"] is None
        for process, work in (("relay", "relay"), ("consume", "projection stock")):
            eventually(lambda p=process: "differs" in plant.said(p) or "something else there" in plant.said(p))  # type: ignore[misc]
            assert plant.said(process).count(f"{work} halted") == 2  # beyond the book, and then otherwise than it

        assert f"{shown['topic']['name']} is left as it is" in (recovered := on_call.types("--book-holds"))
        eventually(lambda: lag(api)["behind_events"] == 0)
        eventually(lambda: on_hand(api) == ["52"])
        eventually(lambda: "relay goes on" in plant.said("relay") and "stock goes on" in plant.said("consume"))
        found = cli.json("recover")
        assert found["topic"]["ledger"] == found["ledger"] != shown["ledger"]
        assert f"Its topic is {found['topic']['name']};" in recovered
        api.given(received("1", on=DAY))
        eventually(lambda: on_hand(api) == ["53"])


def test_read_models_that_have_taken_what_the_book_has_lost_are_not_shown_and_are_filled_anew(
    plant: Plant, on_call: OnCall
) -> None:
    """As consumers of the release before did."""
    cli = plant.cli
    on_call.env = cli.env
    with plant.running() as api:
        api.given(warehouse(), product(), received("50", on=DAY), received("6000", on=DAY))
        eventually(lambda: on_hand(api) == ["6050"])
        eventually(lambda: lag(api)["behind_events"] == 0)
        end = api.log_size() - 1
    cli.execute(
        f"ALTER TABLE {cli.ledger}.event DISABLE TRIGGER USER; DELETE FROM {cli.ledger}.event WHERE position > {end};"
        f" ALTER TABLE {cli.ledger}.command DISABLE TRIGGER USER;"
        f" DELETE FROM {cli.ledger}.command WHERE first_position > {end};"
        f" UPDATE {cli.ledger}.head SET position = {end}"
    )
    with plant.running() as api:
        refused = api.http.get("/v1/stock/balances")
        assert (refused.status_code, refused.json()["code"]) == (503, "ahead")
        on_call.sees("ahead", refused.text)
        assert (refused.json()["position"], refused.json()["log_size"]) == (end + 1, end)
        assert (lag(api)["behind_events"], lag(api)["ahead_events"]) == (0, 1)
        eventually(lambda: "stock halted" in plant.said("consume"))
        assert "the book ends at" in cli("rebuild", "stock", status=1).stderr
        assert f"{end + 1}" in on_call.types("grossbuch recover", status=3)
        assert "Filled anew: stock." in on_call.types("--book-holds")
        eventually(lambda: on_hand(api) == ["50"])
        api.given(received("2", on=DAY))
        eventually(lambda: on_hand(api) == ["52"])
        assert cli.json("recover")["topic"]["differs_from"] is None
