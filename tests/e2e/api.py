"""A caller of the HTTP interface, who reads what it wrote."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from types import TracebackType
from typing import Any, Self

import httpx

Command = Mapping[str, object]

ALL_KEPT = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=3)
"""With many threads httpx at times closes as surplus a connection that another thread has just taken."""


class Api:
    """``written`` is the last position that was answered to it: whatever it asks waits for that one."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = httpx.Client(base_url=address, timeout=60, limits=ALL_KEPT)
        self.written = 0

    def send(self, command: Command, headers: Mapping[str, str] | None = None, **parameters: str) -> httpx.Response:
        answer = self.http.post("/v1/commands", json=command, headers=headers, params=parameters)
        if answer.is_success:
            self.written = max(self.written, answer.json()["position"] or 0)
        return answer

    def given(self, *commands: Command) -> list[dict[str, Any]]:
        """Commands that are to be taken; their answers."""
        answers = [self.send(command) for command in commands]
        for answer in answers:
            assert answer.status_code in (200, 201), answer.text
        return [answer.json() for answer in answers]

    def given_all(self, commands: Sequence[Command]) -> list[dict[str, Any]]:
        """Many commands that are to be taken, in one batch."""
        lines: list[dict[str, Any]] = self.http.post("/v1/commands/batch", json=commands).json()
        assert {line["status"] for line in lines} <= {200, 201}, [line for line in lines if line["status"] > 201]
        self.written = max(self.written, *(line["position"] for line in lines))
        return lines

    def refused(self, command: Command, status: int, code: str) -> dict[str, Any]:
        """The facts of a refusal, which has appended nothing."""
        before = self.log_size()
        facts = problem(self.send(command), status, code)
        assert self.log_size() == before
        return facts

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        joint = "&" if "?" in path else "?"
        return self.http.get(f"{path}{joint}min_position={self.written}&wait_ms=20000", headers=headers)

    def ask(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.ask(path)["items"]
        return items

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """All records after a position, page by page."""
        found: list[dict[str, Any]] = []
        next: int | None = after
        while next is not None:
            page = self.http.get(f"/v1/audit/events?after={next}&limit=10000").json()
            found += page["items"]
            next = page["next"]
        return found

    def log_size(self) -> int:
        return int(self.http.get("/v1/audit/events?limit=1").json()["meta"]["log_size"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        self.http.close()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The facts of an RFC 9457 problem."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    facts: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "code", "detail"} <= facts.keys()
    assert facts["status"] == status
    return facts


def table(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of an answer in CSV, which ends in a word about it if the list goes on, and only then."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(answer.text, newline="")))
    if next_page := answer.headers.get("grossbuch-next"):
        *rows, end = rows
        assert f"# the list goes on; cursor={next_page}" in end.values()
    return rows
