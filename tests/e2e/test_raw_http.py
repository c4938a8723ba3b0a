"""Whatever comes in at the door is answered as HTTP, or let go; and the next one is answered as if nothing had been."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from api.http.limits import Limits
from tests.e2e.api import Api
from tests.e2e.conftest import served
from tests.e2e.raw_http import Answer, Strange, strange

SEED = int(os.environ.get("GROSSBUCH_FUZZ_SEED", "14"))
COUNT = int(os.environ.get("GROSSBUCH_FUZZ_COUNT", "400"))
CALLERS = 32
GROWTH = 100_000_000
IMPATIENT = Limits(head_s=0.5, body_s=0.5, idle_s=5, parting_s=0.5)


@pytest.fixture(scope="module")
def api(dsn: str) -> Iterator[Api]:
    with served(dsn, IMPATIENT) as api:
        yield api


@pytest.fixture(scope="module")
def asked(api: Api) -> list[tuple[Strange, list[Answer]]]:
    requests = list(strange(SEED, COUNT))
    before = psutil.Process().memory_info().rss
    with ThreadPoolExecutor(CALLERS) as threads:
        answers = list(threads.map(lambda each: each.sent_to(api.address), requests))
    assert psutil.Process().memory_info().rss - before < GROWTH
    return list(zip(requests, answers, strict=True))


def test_nothing_that_is_sent_is_a_failure_of_ours(asked: list[tuple[Strange, list[Answer]]]) -> None:
    assert [(each, answer) for each, answers in asked for answer in answers if answer.status in (500, 501, 502)] == []


def test_each_refusal_is_a_problem_with_a_code(asked: list[tuple[Strange, list[Answer]]]) -> None:
    refusals = [answer for _, answers in asked for answer in answers if answer.status >= 400]
    assert {answer.status for answer in refusals} >= {400, 404, 405, 414, 422, 431}
    assert all(answer.code for answer in refusals)


def test_most_are_answered_and_then_all_others(api: Api, asked: list[tuple[Strange, list[Answer]]]) -> None:
    assert sum(bool(answers) for _, answers in asked) > COUNT * 0.9
    assert api.http.get("/v1/health/ready").status_code == 200
