"""Many callers at once, who remember what they were answered."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event, Thread
from typing import Any

import httpx

from tests.e2e.api import Api, Command
from tests.e2e.given import client, received

CALLERS = 50


def at_once(api: Api, commands: Iterable[Command], callers: int = CALLERS) -> list[httpx.Response]:
    """Each command from a thread of its own, so far as there are threads."""
    with ThreadPoolExecutor(callers) as threads:
        answers = list(threads.map(lambda command: api.http.post("/v1/commands", json=command), commands))
    api.written = api.log_size()
    return answers


def codes(answers: Iterable[httpx.Response]) -> Counter[object]:
    return Counter(answer.json().get("code", answer.status_code) for answer in answers)


class Load:
    """Callers who go on until told to stop or nobody answers. Every command has an id of its own."""

    def __init__(self, api: Api, callers: int = 16) -> None:
        self._api = api
        self._stopped = Event()
        self._threads = [Thread(target=self._call, args=(number,)) for number in range(callers)]
        self.sent: list[Command] = []
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.statuses: Counter[int] = Counter()

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _call(self, caller: int) -> None:
        for number in count():
            if self._stopped.is_set():
                return
            command = _command(caller, number)
            self.sent.append(command)
            try:
                answer = self._api.http.post("/v1/commands", json=command)
            except httpx.TransportError:
                return
            self.statuses[answer.status_code] += 1
            if answer.is_success:
                self.acknowledged[str(command["command_id"])] = answer.json()


def _command(caller: int, number: int) -> Command:
    """By turns a client of one's own, and one lamp more in a place where all put theirs."""
    id = f"{caller}-{number}"
    if number % 2:
        return client(id, command_id=id)
    return received("1", on="2026-05-01", command_id=id)


def sent_again(api: Api, commands: Sequence[Command]) -> dict[str, dict[str, Any]]:
    """The answers to a repetition of everything, which must all be taken; by command id."""
    lines = api.given_all(commands)
    return {line["command_id"]: {name: line[name] for name in line.keys() - {"status"}} for line in lines}


def eventually(what: Callable[[], bool]) -> None:
    waiting = Event()
    for _ in range(1200):
        if what():
            return
        waiting.wait(0.1)
    raise AssertionError("not within 120 s")
