"""POST /v1/commands/batch: many commands at once, each by itself or all or none."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from tests.e2e.api import Api, problem
from tests.e2e.given import client, deal, moved, pipeline, product, received, shipped, warehouse, won

BAD = client("B2", nickname="Anni")
STOCK = [product(), warehouse(), received("10", on="2026-05-01")]


def send(api: Api, commands: Sequence[object], **parameters: str) -> list[dict[str, Any]]:
    answer = api.http.post("/v1/commands/batch", json=commands, params=parameters)
    assert answer.status_code == 200, answer.text
    lines: list[dict[str, Any]] = answer.json()
    assert len(lines) == len(commands)
    return lines


def send_lines(api: Api, *lines: str | bytes, **parameters: str) -> list[dict[str, Any]]:
    body = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    answer = api.http.post("/v1/commands/batch", content=body, params=parameters)
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def outcomes(lines: Sequence[dict[str, Any]]) -> list[object]:
    return [line.get("code", line["status"]) for line in lines]


def test_an_array_is_answered_by_an_array_a_line_for_each(api: Api) -> None:
    lines = send(api, [client("B1", command_id="k1"), client("B2", command_id="k2")])
    assert [(line["status"], line["command_id"], line["position"]) for line in lines] == [
        (201, "k1", 1),
        (201, "k2", 2),
    ]


def test_lines_are_answered_by_lines(api: Api) -> None:
    lines = send_lines(api, json.dumps(client("B1")), "", json.dumps(client("B2")))
    assert [(line["status"], line["position"]) for line in lines] == [(201, 1), (201, 2)]


def test_each_command_sees_what_the_ones_before_it_wrote(api: Api) -> None:
    lines = send(api, [*STOCK, shipped("6", on="2026-05-02"), shipped("6", on="2026-05-02")])
    assert outcomes(lines) == [201, 201, 201, 201, "insufficient_stock"]
    assert lines[-1]["shortfall"] == "2"


def test_a_deal_passes_its_whole_life_in_one_batch(api: Api) -> None:
    life = [moved("X", "B", on="2026-05-02"), won("X", on="2026-05-03"), won("X", on="2026-05-04")]
    lines = send(
        api, [client(), pipeline("sales", "strict", "A", "B"), deal("X", "sales", "9.00", on="2026-05-01"), *life]
    )
    assert outcomes(lines) == [201] * 5 + ["deal_closed"]


def test_independent_a_refused_command_keeps_no_other_out(api: Api) -> None:
    assert outcomes(send(api, [client("B1"), BAD, client("B1"), client("B3")])) == [
        201,
        "invalid",
        "already_exists",
        201,
    ]
    assert api.log_size() == 2


def test_a_bad_line_is_refused_by_itself(api: Api) -> None:
    lines = send_lines(api, json.dumps(client("B1")), "{nonsense", b"\xff", "[]", json.dumps(client("B2")))
    assert outcomes(lines) == [201, "malformed", "malformed", "malformed", 201]


@pytest.mark.parametrize("bad", [BAD, client("B1"), {"type": "no.such"}, 7])
def test_atomic_one_refused_command_keeps_all_out(api: Api, bad: object) -> None:
    lines = send(api, [client("B1"), bad, client("B3")], mode="atomic")
    assert outcomes(lines)[::2] == ["batch_refused", "batch_refused"]
    assert outcomes(lines)[1] not in (201, "batch_refused")
    assert api.log_size() == 0


def test_atomic_all_are_committed_together(api: Api) -> None:
    assert outcomes(send(api, [*STOCK, shipped("10", on="2026-05-02")], mode="atomic")) == [201] * 4


def test_a_repeated_batch_is_answered_the_same_and_does_nothing(api: Api) -> None:
    batch = [{**command, "command_id": f"k{number}"} for number, command in enumerate(STOCK)]
    first, again = send(api, batch), send(api, batch, mode="atomic")
    assert [line["status"] for line in again] == [200] * 3
    assert [line | {"status": 0} for line in again] == [line | {"status": 0} for line in first]
    assert api.log_size() == 3


def test_the_same_key_twice_in_one_batch_does_it_once(api: Api) -> None:
    lines = send(api, [client("B1", command_id="k"), client("B1", command_id="k"), client("B2", command_id="k")])
    assert outcomes(lines) == [201, 200, "command_id_reused"]
    assert lines[0]["position"] == lines[1]["position"] == 1
    assert api.log_size() == 1


def test_a_dry_run_of_a_batch_appends_nothing(api: Api) -> None:
    lines = send(api, [*STOCK, shipped("11", on="2026-05-02")], dry_run="true")
    assert outcomes(lines) == [200, 200, 200, "insufficient_stock"]
    assert [line.get("position") for line in lines] == [None] * 4
    assert api.log_size() == 0


@pytest.mark.parametrize("body", ["", "[]", "\n\n", " "])
def test_an_empty_batch_is_malformed(api: Api, body: str) -> None:
    problem(api.http.post("/v1/commands/batch", content=body), 400, "malformed")


def test_an_array_that_is_not_json_is_malformed(api: Api) -> None:
    problem(api.http.post("/v1/commands/batch", content='[{"type": '), 400, "malformed")


@pytest.mark.parametrize("parameters", ["mode=some", "dry_run=perhaps", "mod=atomic"])
def test_a_parameter_that_there_is_not_is_refused(api: Api, parameters: str) -> None:
    answer = api.http.post(f"/v1/commands/batch?{parameters}", json=[client()])
    problem(answer, 422, "invalid")
    assert api.log_size() == 0


class TestABatchOverTheLimits:
    @pytest.fixture
    def post(self, serve: Callable[..., Api]) -> Callable[[list[object]], httpx.Response]:
        api = serve(max_batch_commands=3, max_batch_bytes=2_000)
        return lambda commands: api.http.post("/v1/commands/batch", json=commands)

    def test_of_commands_is_too_large(self, post: Callable[[list[object]], httpx.Response]) -> None:
        assert post([client(f"B{n}") for n in range(3)]).status_code == 200
        assert problem(post([client(f"B{n}") for n in range(4)]), 413, "too_large")["limit"] == 3

    def test_of_bytes_is_too_large(self, post: Callable[[list[object]], httpx.Response]) -> None:
        assert problem(post([client(name="x" * 3_000)]), 413, "too_large")["limit"] == 2_000
