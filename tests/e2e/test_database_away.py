"""The database is away, or hangs: whoever asks is borne with for as long as the patience lasts, and then told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from infra.embedded.server import EmbeddedServer
from tests.e2e.api import problem
from tests.e2e.given import product
from tests.e2e.load import eventually
from tests.e2e.serving import Up
from tests.integration.hurting import hanging, own_server

AWAY = 6.0
PATH = "/v1/products"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with own_server() as server:
        yield server


def serving(server: EmbeddedServer, log: Path, patience: float) -> Up:
    env = {"DATABASE_URL": server.dsn, "GROSSBUCH_PATIENCE_S": str(patience), "GROSSBUCH_CHECK_EVERY_S": "0"}
    return Up(log=log, env=env)


def data(server: EmbeddedServer) -> Path:
    return Path(server.dsn.split("host=")[1].split()[0]).parent / "data"


def test_of_a_hundred_who_ask_while_it_is_away_for_six_seconds_none_is_refused(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    up = serving(server, tmp_path / "log", 60)
    with up.start() as api, ThreadPoolExecutor(100) as threads:
        api.given(product())
        server.stop()
        asking = [threads.submit(api.http.get, path) for path in (PATH, "/v1/audit/events") * 50]
        sleep(AWAY)
        server.start()
        assert {each.result(60).status_code for each in asking} == {200}
    assert up.stop() == 0


def test_while_it_hangs_all_are_told_after_the_patience_and_answered_when_it_goes_on(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    up = serving(server, tmp_path / "log", 2)
    with up.start() as api, ThreadPoolExecutor(40) as threads:
        assert api.http.get(PATH).status_code == 200
        with hanging(data(server)):
            asked = monotonic()
            asking = [threads.submit(api.http.get, path) for path in (PATH, "/v1/audit/events", "/v1/projections") * 13]
            assert api.http.get("/v1/health/live").status_code == 200
            for each in asking:
                answer = each.result(60)
                assert answer.json()["code"] in ("unavailable", "busy")
                assert answer.headers["retry-after"]
            assert monotonic() - asked >= 2
            problem(api.http.get(PATH), 503, "unavailable")
        eventually(lambda: api.http.get(PATH).status_code == 200)
        assert {answer.status_code for answer in threads.map(api.http.get, [PATH] * 40)} == {200}
    assert up.stop() == 0
    assert "Traceback" not in up.said
