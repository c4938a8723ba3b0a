"""Callers who go away, and more of them than there are descriptors: the process goes on, and its log stays short."""

import resource
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from time import sleep

import psutil
import pytest

from tests.e2e.api import Api
from tests.e2e.load import eventually
from tests.e2e.raw_http import JSON, Wire, get, post
from tests.e2e.serving import Up

_numbers = count(1)


@pytest.fixture
def up(dsn: str, tmp_path: Path) -> Iterator[Up]:
    env = {"DATABASE_URL": dsn, "GROSSBUCH_LEDGER": f"bad_callers_{next(_numbers)}", "GROSSBUCH_LOG_LEVEL": "DEBUG"}
    up = Up(log=tmp_path / "log", env=env, how="serve")
    yield up
    assert up.stop() == 0


def test_a_request_that_is_cut_off_is_a_line_for_those_who_look_closely(up: Up) -> None:
    with up.start() as api:
        for _ in range(20):
            with Wire(api.address) as wire:
                wire.send(post(JSON % b"C")[:-1])
        eventually(lambda: up.said.count("caller gone") == 20)
        assert api.http.get("/v1/health/live").status_code == 200
    assert "Traceback" not in up.said
    assert "ERROR" not in up.said


def test_whoever_leaves_while_he_is_answered_is_no_trouble(up: Up) -> None:
    with up.start() as api:
        for _ in range(20):
            with Wire(api.address) as wire:
                wire.send(get("/openapi.json") * 50)
                wire.socket.recv(1)
        assert api.http.get("/v1/health/live").status_code == 200
    assert "Traceback" not in up.said
    assert "ERROR" not in up.said


def test_without_descriptors_nobody_new_is_taken_and_the_others_are_answered(up: Up) -> None:
    with up.start() as api, ExitStack() as stack:
        process = psutil.Process(up.pid)
        api.given({"type": "client.register", "client": "C1", "name": "N"})
        eventually(lambda: api.http.get("/v1/health/live").status_code == 200)
        soft, hard = resource.prlimit(up.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(up.pid, resource.RLIMIT_NOFILE, (process.num_fds(), hard))
        crowd = [stack.enter_context(Wire(api.address)) for _ in range(50)]
        for wire in crowd:
            wire.send(get())
        before = sum(process.cpu_times()[:2])
        sleep(2)
        assert sum(process.cpu_times()[:2]) - before < 1
        statuses = [
            api.http.get(path).status_code for path in ("/v1/health/live", "/v1/health/ready", "/v1/clients", "/docs")
        ]
        assert set(statuses) <= {200, 503}
        resource.prlimit(up.pid, resource.RLIMIT_NOFILE, (soft, hard))
        eventually(lambda: Api(api.address).http.get("/v1/clients").status_code == 200)
    assert "Traceback" not in up.said, up.said
