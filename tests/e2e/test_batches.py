"""POST /v1/commands/batch: many commands at once, each by itself or all or none."""

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

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


DEEP = '{"type": ' + "[" * 965 + "]" * 965 + "}"
TWICE = '{"type": "client.register", "client": "B2", "client": "B3", "name": "Bert"}'


@pytest.mark.parametrize(
    "bad", [DEEP, TWICE, '{"type": 1e400}', '{"type": "client.register", "name": "\\ud800"}', "{,}"]
)
def test_a_line_that_cannot_be_read_is_malformed_by_itself(api: Api, bad: str) -> None:
    good = [json.dumps(client(each)) for each in ("B1", "B4")]
    for first, last in (good, good):
        assert outcomes(send_lines(api, first, bad, last))[1] == "malformed"
        answer = api.http.post("/v1/commands/batch", content=f"[{first},{bad},{last}]")
        assert outcomes(answer.json()) == ["already_exists", "malformed", "already_exists"]
    assert api.log_size() == 2


def test_what_is_known_is_told_once_and_not_twenty_thousand_times(api: Api) -> None:
    lines = send_lines(api, *(["{}"] * 1_500))
    assert [each for each, line in enumerate(lines) if "known" in line] == [0]
    assert max(len(json.dumps(line)) for line in lines[1:]) < 300


def test_many_are_answered_in_order_over_several_commits(api: Api) -> None:
    commands = [client(f"B{number}") if number % 500 else BAD for number in range(2_500)]
    lines = send(api, commands)
    assert outcomes(lines) == [201 if number % 500 else "invalid" for number in range(2_500)]
    assert [line["position"] for line in lines if "position" in line] == list(range(1, 2_496))


class TestABatchWithAKey:
    KEY: ClassVar = {"Idempotency-Key": "monday"}

    @pytest.fixture
    def post(self, api: Api) -> Callable[..., httpx.Response]:
        api.given(client())
        return lambda commands, **parameters: api.http.post(
            "/v1/commands/batch", json=commands, headers=self.KEY, params=parameters
        )

    @pytest.mark.parametrize("mode", ["independent", "atomic"])
    def test_is_answered_the_same_when_it_is_repeated(
        self, api: Api, post: Callable[..., httpx.Response], mode: str
    ) -> None:
        anonymous = {"type": "payment.receive", "client": "C1", "amount": "5.00", "currency": "EUR"}
        batch = [anonymous, anonymous, {**anonymous, "command_id": "own"}, {**anonymous, "command_id": None}]
        first, again = post(batch, mode=mode), post(batch, mode=mode)
        assert outcomes(first.json()) == [201] * 4
        assert outcomes(again.json()) == [200] * 4
        assert [line | {"status": 0} for line in again.json()] == [line | {"status": 0} for line in first.json()]
        assert ("idempotent-replay" in first.headers, again.headers["idempotent-replay"]) == (False, "true")
        assert first.json()[2]["command_id"] == "own"
        assert api.log_size() == 5

    def test_is_the_same_however_it_is_written(self, api: Api, post: Callable[..., httpx.Response]) -> None:
        batch = [client("B1"), client("B2")]
        post(batch)
        lines = "\n".join(json.dumps(dict(reversed(each.items())), indent=None) for each in batch)
        again = api.http.post("/v1/commands/batch", content=lines, headers=self.KEY)
        assert [json.loads(line)["status"] for line in again.text.splitlines()] == [200, 200]

    @pytest.mark.parametrize(
        "other",
        [
            [client("B1"), client("B3")],
            [client("B1")],
            [client("B1"), client("B2"), client("B3")],
            [client("B2"), client("B1")],
        ],
    )
    def test_is_told_that_it_is_another_one(
        self, api: Api, post: Callable[..., httpx.Response], other: list[object]
    ) -> None:
        post([client("B1"), client("B2")])
        before = api.log_size()
        assert outcomes(post(other).json()) == ["command_id_reused"] * len(other)
        assert api.log_size() == before

    def test_says_so_in_a_dry_run(self, post: Callable[..., httpx.Response]) -> None:
        first = post([client("B1")])
        again = post([client("B1")], dry_run="true")
        assert again.headers["idempotent-replay"] == "true"
        assert again.json()[0]["position"] == first.json()[0]["position"]

    def test_that_is_long_is_replayed_as_a_whole(self, api: Api, post: Callable[..., httpx.Response]) -> None:
        batch = [{"type": "client.register", "name": f"Anna {number}"} for number in range(1_500)]
        first, again = post(batch), post(batch)
        assert again.headers["idempotent-replay"] == "true"
        assert [line["position"] for line in again.json()] == [line["position"] for line in first.json()]
        assert api.log_size() == 1_501

    @pytest.mark.parametrize("key", ["", "x" * 201])
    def test_that_is_none_is_refused(self, api: Api, key: str) -> None:
        answer = api.http.post("/v1/commands/batch", json=[client()], headers={"Idempotency-Key": key})
        assert problem(answer, 422, "invalid")["field"] == "Idempotency-Key"


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

    def test_of_one_command_concerns_that_one(self, serve: Callable[..., Api]) -> None:
        api = serve(max_body_bytes=2_000)
        lines = send(api, [client("B1"), client("B2", name="x" * 3_000), client("B3")])
        assert outcomes(lines) == [201, "too_large", 201]
