"""A small company that trades all day. What each caller says is decided by a seed; what is not answered is said again,
so what stands in the book in the end is the same whatever breaks meanwhile."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from threading import Event, Thread
from typing import Any

import httpx

from tests.e2e.given import Command, client, deal, invoice, lost, moved, payment, pipeline, touched, warehouse, won
from tests.integration.writing import until

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
MOST_OPEN = 20
"""Deals and invoices that a caller keeps in mind."""

UNANSWERED = 503
PATIENCE = 90.0


def commands(seed: int, caller: int) -> Iterator[Command]:
    """Without end. Ids are the caller's own, and each command has one."""
    said = _Company(Random(f"{seed} {caller}"), f"{seed}-{caller}").says()
    for number, command in enumerate(said, 1):
        yield {**command, "command_id": f"{seed}-{caller}-{number}"}


class _Company:
    def __init__(self, random: Random, name: str) -> None:
        self._random = random
        self._name = name
        self._numbers = count(1)
        self._clock = FIRST
        self._clients: list[str] = []
        self._deals: dict[str, str] = {}  # with the stage of each

    def says(self) -> Iterator[Command]:
        yield pipeline(self._name, "free", "a", "b", "c")
        yield warehouse(self._name, negative_stock="allow")
        for number in range(3):
            named = {"product": f"{self._name}-{number}", "name": "Lamp", "unit": "pcs", "scale": 0, "costing": "fifo"}
            yield {"type": "product.register", **named}
        yield self._register()
        said = [self._register, self._touch, self._move_stock, self._open, self._go_on, self._bill, self._pay]
        while True:
            self._clock += timedelta(seconds=30)
            yield self._random.choices(said, weights=[1, 3, 6, 2, 4, 3, 2])[0]()

    def _register(self) -> Command:
        self._clients = [*self._clients[-MOST_OPEN:], self._new("C")]
        return client(self._clients[-1], f"Client {self._clients[-1]}")

    def _touch(self) -> Command:
        return touched(self._client(), self._random.choice(["call", "email"]), on=self._now())

    def _move_stock(self) -> Command:
        kind = self._random.choice(["receive", "receive", "ship"])
        money = {"unit_cost": "1.50", "currency": "EUR"} if kind == "receive" else {}
        place = {"product": f"{self._name}-{self._random.randrange(3)}", "warehouse": self._name}
        quantity = str(self._random.randint(1, 9))
        return {"type": f"stock.{kind}", **place, "quantity": quantity, "effective_at": self._now(), **money}

    def _open(self) -> Command:
        id = self._new("D")
        self._deals[id] = "a"
        amount = f"{self._random.randint(1, 10_000)}.00"
        return {**deal(id, self._name, amount, on=self._now()), "client": self._client()}

    def _go_on(self) -> Command:
        if not self._deals:
            return self._open()
        id = self._random.choice(list(self._deals))
        if len(self._deals) < MOST_OPEN and self._random.random() < 0.6:
            self._deals[id] = self._random.choice([stage for stage in "abc" if stage != self._deals[id]])
            return moved(id, self._deals[id], on=self._now())
        del self._deals[id]
        return won(id, on=self._now()) if self._random.random() < 0.5 else lost(id, "price", on=self._now())

    def _bill(self) -> Command:
        amount = f"{self._random.randint(1, 900)}.50"
        return invoice(self._new("I"), amount, due="2027-01-31", client=self._client(), effective_at=self._now())

    def _pay(self) -> Command:
        amount = f"{self._random.randint(1, 900)}.50"
        more = {"allocate": "oldest", "effective_at": self._now()}
        return payment(self._new("Z"), amount, client=self._client(), **more)

    def _client(self) -> str:
        return self._random.choice(self._clients)

    def _new(self, letter: str) -> str:
        return f"{letter}{self._name}-{next(self._numbers)}"

    def _now(self) -> str:
        return self._clock.isoformat()


class Trading:
    """Callers who go on until told to stop, each with ``pause`` seconds between two commands."""

    def __init__(self, address: Callable[[], str], seed: int, callers: int = 3, pause: float = 0.01) -> None:
        self._address = address
        self._pause = pause
        self._stopped = Event()
        self._threads = [Thread(target=self._call, args=(commands(seed, number),)) for number in range(callers)]
        self.accepted: dict[str, int] = {}
        self.refused: list[dict[str, Any]] = []
        self.answers: Counter[int | str] = Counter()

    def grows(self, by: int) -> None:
        """Wait until so many more have been taken."""
        goal = len(self.accepted) + by
        until(lambda: len(self.accepted) >= goal or self.refused, PATIENCE)
        assert not self.refused, self.refused

    def __enter__(self) -> "Trading":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _call(self, commands: Iterator[Command]) -> None:
        with httpx.Client(timeout=60) as http:
            for command in commands:
                while not self._say(http, command):
                    self._stopped.wait(0.1)
                if self._stopped.wait(self._pause):
                    return

    def _say(self, http: httpx.Client, command: Command) -> bool:
        """Until it is answered, also after the end: what was begun is finished."""
        try:
            answer = http.post(f"{self._address()}/v1/commands", json=command)
        except httpx.TransportError as error:
            self.answers[type(error).__name__] += 1
            return False
        self.answers[answer.status_code] += 1
        if answer.status_code == UNANSWERED:
            return False
        if answer.is_success:
            self.accepted[str(command["command_id"])] = answer.json()["position"]
        else:
            self.refused.append(answer.json())
        return True
