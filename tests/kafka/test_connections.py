"""How many connections to PostgreSQL a process takes: docs/how-to/run-on-your-postgresql.md tells."""

from pathlib import Path

import pytest

from infra.kafka.broker import Broker
from projections import PROJECTIONS
from tests.e2e.api import Api
from tests.e2e.cli import Cli
from tests.e2e.given import client
from tests.e2e.load import at_once, eventually
from tests.e2e.serving import Up


@pytest.fixture
def cli(dsn: str, topic: str, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name, value in broker.environment.items():
        monkeypatch.setenv(name, value)
    return Cli(dsn, topic.removesuffix(".events"))


def connections(cli: Cli) -> int:
    return int(cli.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'grossbuch%'")[0][0])


def caught_up(api: Api) -> bool:
    return not any(each["behind_events"] for each in api.http.get("/v1/projections").json())


def test_processes_take_no_more_connections_than_is_told(cli: Cli, tmp_path: Path) -> None:
    cli.make()
    serve = Up(log=tmp_path / "serve", env={**cli.env, "GROSSBUCH_CONNECTIONS": "4"}, how="serve")
    before = connections(cli)
    with serve.start() as api:
        at_once(api, [client(f"C{number}") for number in range(200)])
        assert connections(cli) - before <= 4 + 3
        with (
            cli.staying("relay", says="Relaying", log=tmp_path / "relay"),
            cli.staying("consume", says="Projecting", log=tmp_path / "consume"),
        ):
            eventually(lambda: caught_up(api))
            assert connections(cli) - before <= 4 + 3 + 3 + len(PROJECTIONS) + 3
    assert serve.stop() == 0
