"""Serving and projecting as processes of their own, without a broker: consumers read the store."""

from pathlib import Path

from tests.e2e.api import Api
from tests.e2e.cli import Cli
from tests.e2e.given import warehouse
from tests.e2e.serving import Up


def test_serve_takes_commands_and_consumers_beside_it_project(cli: Cli, tmp_path: Path) -> None:
    cli.make()
    serve = Up(log=tmp_path / "log", env=cli.env, how="serve")
    with serve.start() as api:
        api.given(warehouse("W1"))
        behind = api.http.get(f"/v1/warehouses?min_position={api.written}&wait_ms=100")
        assert (behind.status_code, behind.json()["code"]) == (503, "behind")
        assert known_then(api, 1) == known_then(api, 9) == (503, "behind")  # later it would be another answer
        assert known_then(api, 0) == (200, [])
        with cli.staying("consume", "warehouses", says="Projecting warehouses", log=tmp_path / "one") as one:
            with cli.staying("consume", says="Projecting", log=tmp_path / "two") as two:
                assert [row["warehouse"] for row in api.rows("/v1/warehouses")] == ["W1"]
            assert two.returncode == 0
            assert known_then(api, 1) == (200, ["W1"])
            api.given(warehouse("W2"))
            assert [row["warehouse"] for row in api.rows("/v1/warehouses")] == ["W1", "W2"]
        assert one.returncode == 0
    assert serve.stop() == 0


def known_then(api: Api, position: int) -> tuple[int, object]:
    """Which warehouses."""
    answer = api.http.get(f"/v1/warehouses?known_at={position}&wait_ms=100")
    body = answer.json()
    return answer.status_code, body.get("code") or [row["warehouse"] for row in body["items"]]


def test_a_projection_that_there_is_not_is_refused(cli: Cli) -> None:
    assert "no projection nonsense" in cli("consume", "nonsense", status=2).stderr
