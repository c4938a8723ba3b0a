"""What a projection cannot take is seen and tried again from the command line; the rest goes on."""

from collections.abc import Callable

import pytest

from infra.postgres.connection import Database
from infra.postgres.writer import Writer
from tests.e2e.cli import Cli
from tests.e2e.given import warehouse

NEWER = ("warehouse-W9", "1", "warehouse.registered", "99", "warehouse-W9", "2026-01-01T00:00:00+00:00", "{}")
"""An event of a release that knows more of warehouses than this one."""


@pytest.fixture(scope="module")
def poisoned(make_cli: Callable[[], Cli]) -> Cli:
    cli = make_cli()
    with cli.served() as api:
        api.given(warehouse("W1"))
    writer = Writer(Database(cli.dsn, cli.ledger))
    writer.append([(*NEWER, '{"warehouse": "W9", "colour": "green"}', "")])
    writer.close()
    with cli.served() as api:
        api.given(warehouse("W2"))
        assert [row["warehouse"] for row in api.rows("/v1/warehouses")] == ["W1", "W2"]
    return cli


def test_it_is_listed_with_the_error(poisoned: Cli) -> None:
    [parked] = poisoned.json("quarantine", "list", status=3)["items"]
    assert (parked["projection"], parked["stream"], parked["waiting"]) == ("warehouses", "warehouse-W9", 1)
    assert "colour" in parked["error"]
    assert "warehouse-W9" in poisoned("quarantine", "list", status=3).stdout


def test_what_waits_is_shown(poisoned: Cli) -> None:
    [event] = poisoned.json("quarantine", "show", "warehouses", "warehouse-W9")["items"]
    assert (event["version"], event["schema_version"]) == (1, 99)
    assert "green" in event["payload"]
    assert "has not parked" in poisoned("quarantine", "show", "warehouses", "warehouse-W1", status=1).stderr


def test_another_try_that_fails_says_so_and_loses_nothing(poisoned: Cli) -> None:
    [tried] = poisoned.json("quarantine", "retry", status=1)["items"]
    assert (tried["taken"], "colour" in tried["error"]) == (0, True)
    assert poisoned.json("quarantine", "list", status=3)["items"][0]["waiting"] == 1


def test_progress_says_so(poisoned: Cli) -> None:
    with poisoned.served() as api:
        by_name = {each["projection"]: each for each in api.http.get("/v1/projections").json()}
        assert by_name["warehouses"]["quarantined"] == 1
        assert by_name["warehouses"]["behind_events"] == 0
        assert by_name["products"]["quarantined"] == 0
        assert api.ask("/v1/warehouses")["meta"]["quarantined"] == 1
        assert api.ask("/v1/products")["meta"]["quarantined"] == 0
        assert 'grossbuch_projection_quarantined{projection="warehouses"} 1.0' in api.http.get("/metrics").text


def test_nothing_parked_is_said(make_cli: Callable[[], Cli]) -> None:
    cli = make_cli()
    cli.make()
    assert cli.json("quarantine", "list") == {"items": []}
    assert "Nothing is parked" in cli("quarantine", "list").stderr
