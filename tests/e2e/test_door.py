"""What one caller may make the server keep, and how long it waits for him; others do not notice."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from select import select
from time import monotonic, sleep

import psutil
import pytest

from api.http.limits import Limits
from tests.e2e.api import Api
from tests.e2e.conftest import served
from tests.e2e.load import eventually
from tests.e2e.raw_http import JSON, PATIENCE_S, Wire, get, post

Serving = Callable[[Limits], AbstractContextManager[Api]]

SOON = Limits(head_s=0.5, body_s=0.5, idle_s=5, untaken_s=0.5, parting_s=0.5)
CHUNKED = b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"


@pytest.fixture
def serving(dsn: str) -> Serving:
    return partial(served, dsn)


@pytest.fixture(scope="module")
def api(dsn: str) -> Iterator[Api]:
    with served(dsn, Limits(parting_s=0.5)) as api:
        yield api


@pytest.fixture(scope="module")
def impatient(dsn: str) -> Iterator[Api]:
    with served(dsn, SOON) as api:
        yield api


@pytest.mark.parametrize(
    ("beginning", "without_end", "status", "code"),
    [
        (b"GET /", b"u" * 9_999, 414, "url_too_long"),
        (b"GET / HTTP/1.1\r\nX: ", b"v" * 9_999, 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\n", b"Name: value\r\n" * 999, 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\n", b"n" * 9_999, 431, "head_too_large"),
        (CHUNKED + b"0\r\n", b"Name: value\r\n" * 999, 431, "head_too_large"),
        (CHUNKED + b"1;", b"e" * 9_999, 431, "head_too_large"),
        (CHUNKED, b"0" * 9_999, 431, "head_too_large"),
    ],
)
def test_what_is_no_body_ends(api: Api, beginning: bytes, without_end: bytes, status: int, code: str) -> None:
    with Wire(api.address) as wire:
        assert wire.send(beginning, without_end * (80_000 // len(without_end)))
        [answer] = wire.answers(1)
        assert (answer.status, answer.code, answer.header(b"connection")) == (status, code, b"close")
        eventually(lambda: not wire.send(without_end))


def test_lines_before_a_request_are_not_waited_for(impatient: Api) -> None:
    with Wire(impatient.address) as wire:
        eventually(lambda: not wire.send(b"\r\n" * 9_999))


def test_a_head_within_the_limit_is_taken(api: Api) -> None:
    with Wire(api.address) as wire:
        wire.send(get("/v1/health/live", *[f"X-{number}: {'v' * 50}" for number in range(900)]))
        assert [answer.status for answer in wire.answers(1)] == [200]


@pytest.mark.parametrize(
    "slow",
    [b"GET / HT", get()[:-2], b"POST /v1/commands HTTP/1.1\r\nContent-Length: 9\r\n\r\n{", CHUNKED, CHUNKED + b"0\r\n"],
)
def test_a_request_that_does_not_arrive_in_time_is_given_up(impatient: Api, slow: bytes) -> None:
    with Wire(impatient.address) as wire:
        wire.send(slow)
        [answer] = wire.answers()
        assert (answer.status, answer.code) == (408, "timeout")


def test_a_byte_now_and_then_does_not_prolong_it(impatient: Api) -> None:
    with Wire(impatient.address) as wire:
        wire.send(b"POST /v1/commands HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
        eventually(lambda: not wire.send(b" "))


def test_a_body_that_keeps_coming_is_waited_for(impatient: Api) -> None:
    body = b" " * 200_000 + JSON % b"Patient"
    with Wire(impatient.address) as wire:
        request = post(body)
        for start in range(0, len(request), 40_000):
            assert wire.send(request[start : start + 40_000])
            sleep(0.3)
        assert [answer.status for answer in wire.answers(1)] == [201]


def test_who_says_nothing_is_parted_with(impatient: Api) -> None:
    with Wire(impatient.address) as silent, Wire(impatient.address) as silent_after_one:
        silent_after_one.send(get())
        assert [answer.status for answer in silent_after_one.answers()] == [200]
        assert silent.answers() == []


def test_requests_at_once_are_answered_in_their_order(api: Api) -> None:
    with Wire(api.address) as wire:
        ids = [f"X{number}" for number in range(200)]
        wire.send(b"".join(get(f"/v1/clients/{id}") for id in ids) + post(JSON % b"InOrder") + get())
        *answers, posted, live = wire.answers(202)
        assert all(f"no client {id}.".encode() in answer.body for answer, id in zip(answers, ids, strict=True))
        assert (posted.status, live.status) == (201, 200)


def test_who_reads_no_answers_is_not_read_either(impatient: Api) -> None:
    before = psutil.Process().memory_info().rss
    wires = [Wire(impatient.address) for _ in range(8)]
    for wire in wires:
        wire.socket.settimeout(5)
        with pytest.raises((TimeoutError, ConnectionError)):
            wire.socket.sendall(get() * 1_000_000)
    assert psutil.Process().memory_info().rss - before < 100_000_000
    for wire in wires:
        wire.socket.close()


def test_a_crowd_is_told_to_come_again(serving: Serving) -> None:
    with serving(Limits(connections=3)) as api:
        first = [Wire(api.address) for _ in range(3)]
        for wire in first:
            wire.send(get())
            assert [answer.status for answer in wire.answers(1)] == [200]
        with Wire(api.address) as one_more:
            [answer] = one_more.answers()
            assert (answer.status, answer.code, answer.header(b"retry-after")) == (503, "busy", b"1")
        for wire in first:
            wire.socket.close()
        eventually(lambda: api.http.get("/v1/health/live").status_code == 200)


def test_bodies_that_are_too_much_together_are_not_kept(serving: Serving) -> None:
    with serving(Limits(pending_bytes=1_000_000)) as api:
        wires = {Wire(api.address): post(b" " * 400_000 + JSON % name) for name in (b"A", b"B", b"C")}
        for wire, request in wires.items():
            wire.send(request[:-1])
        [[crowded], _, _] = select([wire.socket for wire in wires], [], [], PATIENCE_S)
        for wire, request in wires.items():
            if wire.socket is crowded:
                [answer] = wire.answers()
                assert (answer.status, answer.code, answer.header(b"retry-after")) == (503, "busy", b"1")
            else:
                wire.send(request[-1:])
                assert [answer.status for answer in wire.answers(1)] == [201]
            wire.socket.close()


def test_what_is_not_http_is_told_as_a_problem_after_the_answers_that_are_due(api: Api) -> None:
    with Wire(api.address) as wire:
        wire.send(get("/v1/clients") + post(JSON % b"Before") + b"GARBAGE\r\n\r\n" + get())
        found, booked, garbage = wire.answers()
        assert (found.status, booked.status) == (200, 201)
        assert (garbage.status, garbage.code, garbage.header(b"connection")) == (400, "malformed", b"close")


def test_a_body_with_a_broken_chunk_is_no_command(api: Api) -> None:
    with Wire(api.address) as wire:
        wire.send(CHUNKED.replace(b"2\r\n{}", b"%x\r\n%b" % (len(JSON) - 1, JSON % b"A")) + b"nonsense\r\n")
        [answer] = wire.answers()
        assert (answer.status, answer.code) == (400, "malformed")


def test_a_body_that_breaks_after_its_answer_gets_no_other(api: Api) -> None:
    with Wire(api.address) as wire:
        wire.send(
            b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + b"x" * 2_000_000
        )
        [answer] = wire.answers(1)
        assert answer.status == 413
        wire.send(b"y" * 97_152 + b"nonsense\r\n")
        assert wire.answers() == []


def test_an_upgrade_is_declined_and_the_request_is_taken(api: Api) -> None:
    """As Java's HttpClient asks."""
    with Wire(api.address) as wire:
        wish = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")
        wire.send(post(JSON % b"Java", *wish) + get())
        assert [answer.status for answer in wire.answers(2)] == [201, 200]


def test_trailers_do_not_count(api: Api) -> None:
    body = JSON % b"Late"
    with Wire(api.address) as wire:
        wire.send(CHUNKED.replace(b"2\r\n{}", b"%x\r\n%b" % (len(body), body)) + b"0\r\nIdempotency-Key: late\r\n\r\n")
        [answer] = wire.answers(1)
        assert answer.status == 201
        assert b'"late"' not in answer.body


def test_who_asks_whether_to_go_on_is_told_and_parted_with(api: Api) -> None:
    request = post(JSON % b"Polite", "Expect: 100-continue")
    with Wire(api.address) as wire:
        wire.send(request[: request.index(b"{")])
        assert wire.socket.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.send(request[request.index(b"{") :])
        [answer] = wire.answers()
        assert (answer.status, answer.header(b"connection")) == (201, b"close")


@pytest.mark.parametrize("path", ["/docs/", "/v1/clients/", "/v1/commands/", "/"])
def test_nobody_is_sent_to_a_host_that_the_caller_named(api: Api, path: str) -> None:
    answer = api.http.get(path, headers={"Host": "evil.example"})
    assert "evil.example" not in answer.headers.get("location", "") + answer.text


def test_a_request_that_is_still_arriving_does_not_hold_up_a_stop(serving: Serving) -> None:
    with serving(Limits(body_s=1, body_bytes_per_s=1)) as api:
        wire = Wire(api.address)
        wire.send(post(b" " * 100_000 + b"{}")[:-1])
        assert api.http.get("/v1/health/live").status_code == 200
        began = monotonic()
    assert monotonic() - began < 60
    wire.socket.close()
