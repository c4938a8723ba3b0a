"""Whatever comes in, the answer is one of those that are documented, short, and a refused command has appended nothing.

``GROSSBUCH_FUZZ_SEED`` and ``GROSSBUCH_FUZZ_COUNT`` look elsewhere and longer.
"""

import json
import os
from itertools import islice
from random import Random
from typing import Any

import httpx
import pytest

from tests.e2e.api import Api
from tests.e2e.given import client, pipeline, product, received, warehouse
from tests.e2e.hostile_values import addresses, batches, commands

SEED = int(os.environ.get("GROSSBUCH_FUZZ_SEED", "14"))
COUNT = int(os.environ.get("GROSSBUCH_FUZZ_COUNT", "500"))
LONGEST = 10_000
"""Bytes of a refusal: some thirty fields that are wrong, each in a line."""


@pytest.fixture
def book(api: Api) -> Api:
    api.given(client(), pipeline("sales", "free", "A"), product(), warehouse(), received("9", on="2026-05-01"))
    return api


def sound(answer: httpx.Response, asked: object) -> None:
    told = f"{answer.status_code} {answer.text[:300]} to {str(asked)[:500]}"
    assert answer.status_code < 500 or answer.status_code == 503, told
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", told
        refused(answer.json(), answer.content, told)


def refused(problem: dict[str, Any], text: bytes, told: str) -> None:
    assert problem["code"] not in ("", "error", "internal"), told
    assert problem["detail"], told
    assert len(text) < LONGEST, told


def folds(api: Api) -> bool:
    """Every read model takes every event, and the log reads as JSON from its first to its last."""
    api.ask("/v1/clients?limit=1")
    events = api.events()
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    for each in api.http.get("/v1/projections").json():
        path = f"/v1/projections?{each['projection']}"
        assert each["quarantined"] == 0, path
    return True


def test_commands_with_hostile_values(book: Api) -> None:
    for body in islice(commands(Random(SEED)), COUNT):
        answer = book.http.post("/v1/commands", content=body)
        sound(answer, body)
        if answer.status_code == 201:
            book.written = answer.json()["position"]
    assert book.log_size() == book.written
    assert folds(book)


def test_batches_with_hostile_lines(book: Api) -> None:
    for number, body in enumerate(islice(batches(Random(SEED)), COUNT // 20)):
        mode = "atomic" if number % 3 == 0 else "independent"
        answer = book.http.post(f"/v1/commands/batch?mode={mode}", content=body)
        sound(answer, body)
        if answer.status_code == 200:
            array = answer.headers["content-type"] == "application/json"
            lines = answer.json() if array else [json.loads(line) for line in answer.content.split(b"\n") if line]
            for line in lines:
                if line["status"] >= 400:
                    refused(line, json.dumps(line).encode(), str(line)[:300])
                elif line["status"] == 201:
                    book.written = line["position"]
            assert mode == "independent" or len({line["status"] < 300 for line in lines}) == 1
    assert book.log_size() == book.written
    assert folds(book)


def test_queries_with_hostile_parameters(book: Api) -> None:
    for address in islice(addresses(Random(SEED)), COUNT):
        sound(book.http.get(address), address)
    assert folds(book)
