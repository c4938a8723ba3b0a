"""The stream from the command line: processes that have only settings in common."""

from pathlib import Path
from typing import Any

import pytest

from consumers.ports import Topic
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.topic import administration, delete, ensure
from tests.e2e.api import Api
from tests.e2e.cli import Cli, run
from tests.e2e.given import client
from tests.e2e.load import eventually
from tests.e2e.serving import Up


@pytest.fixture
def cli(dsn: str, topic: str, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name, value in broker.environment.items():
        monkeypatch.setenv(name, value)
    return Cli(dsn, topic.removesuffix(".events"))


def clients(api: Api, first: int, last: int) -> set[str]:
    """So many more; gives their ids."""
    ids = [f"C{number}" for number in range(first, last + 1)]
    api.given_all([client(id) for id in ids])
    return set(ids)


def seen(api: Api) -> set[str]:
    return {row["client"] for row in api.rows("/v1/clients?limit=1000")}


def caught_up(api: Api) -> bool:
    return not any(each["behind_events"] for each in api.http.get("/v1/projections").json())


def test_up_relays_and_consumes_in_one_process(cli: Cli, tmp_path: Path) -> None:
    up = Up(log=tmp_path / "log", env=cli.env)
    with up.start() as api:
        there = clients(api, 1, 50)
        assert seen(api) == there
        eventually(lambda: caught_up(api))
    assert up.stop() == 0
    assert cli.sql(f"SELECT DISTINCT partitions FROM {cli.ledger}.tracking") == [(12,)]


def test_a_topic_that_is_made_unfit_halts_the_relay_and_readiness_says_so_until_it_is_fit(
    cli: Cli, topic: str, broker: Broker, tmp_path: Path
) -> None:
    up = Up(log=tmp_path / "log", env=cli.env)

    def ready(api: Api) -> dict[str, Any]:
        return dict(api.http.get("/v1/health/ready").json())

    with up.start() as api, administration(connection(broker.settings)) as admin:
        there = clients(api, 1, 20)
        assert seen(api) == there
        delete(admin, topic)
        ensure(admin, Topic(topic, 5))
        eventually(lambda: ready(api).get("code") == "halted")
        assert "relay" in ready(api)["work"]
        assert "5 partitions, and the ledger 12" in ready(api)["detail"]
        there |= clients(api, 21, 30)
        eventually(lambda: "grossbuch_relay_behind_events 10.0" in api.http.get("/metrics").text)
        assert 'grossbuch_halted{work="relay"} 1.0' in api.http.get("/metrics").text
        delete(admin, topic)
        eventually(lambda: ready(api).get("status") == "ready")
        assert seen(api) == there
        assert 'grossbuch_halted{work="relay"} 0.0' in api.http.get("/metrics").text
        assert (up.said.count("relay halted"), up.said.count("relay goes on")) == (1, 1)
    assert up.stop() == 0


def test_a_ledger_moves_to_more_partitions_and_to_fewer_while_it_is_written(cli: Cli, tmp_path: Path) -> None:
    cli.make()
    serve = Up(log=tmp_path / "log", env=cli.env, how="serve")
    with (
        serve.start() as api,
        cli.staying("relay", says="Relaying", log=tmp_path / "relay"),
        cli.staying("consume", "clients", says="Projecting", log=tmp_path / "one"),
        cli.staying("consume", "clients", says="Projecting", log=tmp_path / "two"),
    ):
        there = clients(api, 1, 100)
        for first, partitions in ((101, 24), (201, 5)):
            moved = cli.json("repartition", str(partitions))
            there |= clients(api, first, first + 99)
            assert moved["topic"] == f"{cli.ledger}.events-{partitions}"
            assert seen(api) == there
            followed = f"SELECT DISTINCT partitions FROM {cli.ledger}.tracking WHERE consumer = 'clients'"
            eventually(lambda p=partitions, sql=followed: cli.sql(sql) == [(p,)])  # type: ignore[misc]
            there |= clients(api, first + 1000, first + 1099)
            assert seen(api) == there
    assert serve.stop() == 0
    assert not [name for name in ("one", "two") if "halted" in (tmp_path / name).read_text()]


def test_the_number_that_it_has_is_refused(cli: Cli) -> None:
    cli.make()
    assert "has 12 partitions already" in cli("repartition", "12", status=2).stderr


def test_without_a_broker_there_is_nothing_to_relay_to(dsn: str) -> None:
    for command in (("relay",), ("repartition", "3")):
        assert "KAFKA_BOOTSTRAP" in run(*command, status=2, env={"DATABASE_URL": dsn}).stderr


def test_a_broker_that_does_not_answer_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.make()
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert "127.0.0.1:1" in cli("repartition", "3", status=1).stderr


def test_read_models_fed_by_the_topic_go_back_to_the_store(cli: Cli, tmp_path: Path, monkeypatch: Any) -> None:
    up = Up(log=tmp_path / "log", env=cli.env)
    with up.start() as api:
        there = clients(api, 1, 30)
        assert seen(api) == there
    assert up.stop() == 0
    monkeypatch.delenv("KAFKA_BOOTSTRAP")
    up = Up(log=tmp_path / "log", env=cli.env)
    with up.start() as api:
        there |= clients(api, 31, 60)
        assert seen(api) == there
    assert up.stop() == 0
    assert cli.sql(f"SELECT DISTINCT partitions FROM {cli.ledger}.tracking") == [(1,)]


def test_with_tls_and_a_password_it_works_as_without(
    dsn: str, topic: str, secured_broker: Broker, tmp_path: Path
) -> None:
    cli = Cli(dsn, topic.removesuffix(".events"))
    up = Up(log=tmp_path / "log", env={**cli.env, **secured_broker.environment})
    with up.start() as api:
        there = clients(api, 1, 20)
        assert seen(api) == there
    assert up.stop() == 0


def test_a_wrong_password_is_told_and_commands_are_taken_all_the_same(
    dsn: str, topic: str, secured_broker: Broker, tmp_path: Path
) -> None:
    cli = Cli(dsn, topic.removesuffix(".events"))
    wrong = {**secured_broker.environment, "KAFKA_SASL_PASSWORD": "not-hers"}
    up = Up(log=tmp_path / "log", env={**cli.env, **wrong})
    with up.start() as api:
        clients(api, 1, 1)
        eventually(lambda: "KAFKA_SASL_PASSWORD" in up.said)
    assert up.stop() == 0


def test_a_rebuild_from_the_topic_gives_the_same_rows(cli: Cli, tmp_path: Path) -> None:
    cli.make()
    serve = Up(log=tmp_path / "log", env=cli.env, how="serve")
    with (
        serve.start() as api,
        cli.staying("relay", says="Relaying", log=tmp_path / "relay"),
        cli.staying("consume", says="Projecting", log=tmp_path / "consume"),
    ):
        there = clients(api, 1, 200)
        eventually(lambda: caught_up(api))
        before = cli.read_models()
        done = cli.json("rebuild", "clients", "timeline", "--from", "kafka", "--processes", "2")
        assert (done["rebuilt"], done["differences"]) == (["clients", "timeline"], {})
        assert cli.read_models() == before
        there |= clients(api, 201, 220)
        assert seen(api) == there


def test_a_rebuild_that_the_store_began_may_go_on_from_a_topic_of_other_partitions(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROSSBUCH_PARTITIONS", "5")
    up = Up(log=tmp_path / "log", env={**cli.env, "GROSSBUCH_PARTITIONS": "5"})
    with up.start() as api:
        clients(api, 1, 100)
        eventually(lambda: caught_up(api))
        before = cli.read_models()
        begun = cli.start("rebuild", "clients", "stock", "--processes", "1", "--rate", "5")
        filled = f"SELECT max(position) FROM {cli.ledger}.tracking WHERE consumer LIKE 'clients/%'"
        eventually(lambda: cli.sql(filled)[0][0] or begun.poll() is not None)
        begun.kill()
        begun.communicate()
        done = cli.json("rebuild", "clients", "stock", "--from", "kafka")
        assert (done["rebuilt"], done["differences"]) == (["clients", "stock"], {})
        assert cli.read_models() == before
    assert up.stop() == 0
