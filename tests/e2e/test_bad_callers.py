"""Callers who go away, and more of them than there are descriptors: the process goes on, and its log stays short."""

import resource
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from time import sleep

import psutil
import pytest

from tests.e2e.api import Api, problem
from tests.e2e.cli import run
from tests.e2e.load import eventually
from tests.e2e.raw_http import JSON, Wire, get, post
from tests.e2e.serving import Up

_numbers = count(1)


@pytest.fixture
def up(dsn: str, tmp_path: Path) -> Iterator[Up]:
    env = {"DATABASE_URL": dsn, "GROSSBUCH_LEDGER": f"bad_callers_{next(_numbers)}", "GROSSBUCH_LOG_LEVEL": "DEBUG"}
    run("migrate", "--new", env=env)
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
                wire.send(get("/openapi.json") * 20)
                wire.socket.recv(1)
        assert api.http.get("/v1/health/live").status_code == 200
    assert "Traceback" not in up.said
    assert "ERROR" not in up.said


def test_memory_that_callers_took_is_given_back(up: Up) -> None:
    body = b" " * 20_000_000 + b"hello"
    with up.start() as api:
        process = psutil.Process(up.pid)
        api.http.get("/v1/clients")
        before = process.memory_info().rss
        for cut in (0, 1):
            wires = [Wire(api.address) for _ in range(6)]
            for wire in wires:
                wire.send(post(body, path="/v1/commands/batch")[: -cut or None])
            for wire in wires:
                assert cut or wire.answers(1)
                wire.socket.close()
        eventually(lambda: process.memory_info().rss - before < 40_000_000)


def test_without_descriptors_nobody_new_is_taken_and_the_others_are_answered(up: Up) -> None:
    with up.start() as api, ExitStack() as stack:
        process = psutil.Process(up.pid)
        soft, hard = resource.prlimit(up.pid, resource.RLIMIT_NOFILE)
        assert api.http.get("/v1/health/live").status_code == 200
        resource.prlimit(up.pid, resource.RLIMIT_NOFILE, (process.num_fds(), hard))
        crowd = [stack.enter_context(Wire(api.address)) for _ in range(10)]
        assert [wire.answers() for wire in crowd if wire.send(get())] == [[]] * len(crowd)
        before = sum(process.cpu_times()[:2])
        sleep(2)
        assert sum(process.cpu_times()[:2]) - before < 1
        assert api.http.get("/v1/health/live").status_code == 200
        for path in ("/v1/clients", "/static-offline-docs/swagger-ui.css"):
            problem(api.http.get(path), 503, "unavailable")
        resource.prlimit(up.pid, resource.RLIMIT_NOFILE, (soft, hard))
        with Api(api.address) as another:
            eventually(lambda: another.http.get("/v1/clients").status_code == 200)
    assert "Traceback" not in up.said
