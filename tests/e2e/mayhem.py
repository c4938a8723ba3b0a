"""Many callers of two processes on one book, who cut off requests and send them again, while processes and PostgreSQL
are killed. A seed decides what is sent and done; when is chance. In the end the records are judged (verdict.py).
"""

import os
import signal
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import psycopg2

from infra.embedded.server import EmbeddedServer
from tests.e2e.api import Api, Command
from tests.e2e.given import client, deal, invoice, pipeline, product, received, warehouse
from tests.e2e.serving import Up
from tests.e2e.verdict import judge

CALLERS = 32
STAGES = "A", "B", "C"
FINAL = {200, 201, 404, 409, 422}
AGAIN = {429, 503}
SETTLED_WITHIN_S = 120.0


@dataclass
class Told:
    """What callers were told in the end, by command id."""

    booked: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    abandoned: set[str] = field(default_factory=set)
    """Sent whole, and not waited for: it may be read after another try was refused (docs/decisions/0030)."""
    lock: Lock = field(default_factory=Lock)


class Caller(Thread):
    """Sends each command until it is told what became of it, to either process; some requests it does not let end."""

    def __init__(self, number: int, seed: int, addresses: list[str], told: Told, enough: Event) -> None:
        super().__init__(daemon=True)
        self._number, self._random = number, Random(f"{seed}-{number}")
        self._addresses, self._told, self._enough = addresses, told, enough
        self._http = httpx.Client(timeout=90)
        self.failed: BaseException | None = None

    def run(self) -> None:
        try:
            for number in count():
                if self._enough.is_set():
                    return
                self._settle(
                    {**_command(self._random, f"{self._number}-{number}"), "command_id": f"{self._number}-{number}"}
                )
        except BaseException as error:
            self.failed = error

    def _settle(self, command: Command) -> None:
        id, until = str(command["command_id"]), monotonic() + SETTLED_WITHIN_S
        while monotonic() < until:
            address = self._random.choice(self._addresses)
            if self._random.random() < 0.1:
                self._cut(address, command)
            try:
                answer = self._http.post(f"{address}/v1/commands", json=command)
            except httpx.TransportError:
                sleep(0.05)
                continue
            with self._told.lock:
                self._told.statuses[answer.status_code] += 1
                if answer.is_success:
                    self._told.booked[id] = answer.json()["position"]
                elif answer.status_code in FINAL:
                    self._told.refused[id] = answer.json()["code"]
            if answer.status_code not in AGAIN:
                assert answer.status_code in FINAL, answer.text
                return
            sleep(0.05)
        raise AssertionError(f"{id} was not settled within {SETTLED_WITHIN_S:.0f} s")

    def _cut(self, address: str, command: Command) -> None:
        """A part of the request, or all of it without waiting for the answer."""
        body = orjson.dumps(command)
        head = f"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        whole = head + body
        sent = whole if self._random.random() < 0.5 else whole[: self._random.randrange(len(whole))]
        with self._told.lock:
            self._told.cut += 1
            if sent == whole:
                self._told.abandoned.add(str(command["command_id"]))
        try:
            with socket.create_connection(
                (urlsplit(address).hostname, urlsplit(address).port or 80), timeout=5
            ) as caller:
                caller.sendall(sent)
        except OSError:
            return


def _command(random: Random, name: str) -> Command:
    """All want the same few things."""
    few = random.randrange(3)
    lamp = {"product": "P1", "warehouse": f"W{few % 2}"}
    return random.choice(
        [
            {"type": "stock.receive", **lamp, "quantity": "3", "unit_cost": "1.00", "currency": "EUR"},
            {"type": "stock.ship", **lamp, "quantity": str(random.randint(1, 4))},
            {"type": "stock.ship", **lamp, "quantity": "1"},
            {"type": "stock.reserve", **lamp, "reservation": f"R{random.randrange(40)}", "quantity": "1"},
            {"type": "stock.release", "reservation": f"R{random.randrange(40)}"},
            {"type": "stock.write_off", **lamp, "quantity": "1", "reason": "damage"},
            invoice(f"I{random.randrange(400)}", "10.00", due="2099-01-01", client=f"C{few}"),
            {
                "type": "payment.receive",
                "payment": f"Z{name}",
                "client": f"C{few}",
                "amount": "15.00",
                "currency": "EUR",
                "allocate": "oldest",
            },
            {
                "type": "payment.refund",
                "payment": f"Z{random.randrange(CALLERS)}-{random.randrange(40)}",
                "amount": "5.00",
            },
            {"type": "deal.move", "deal": f"D{few}", "stage": random.choice(STAGES)},
            {"type": "deal.lose", "deal": f"D{few}", "reason": "price"},
            {"type": "deal.win", "deal": f"D{few}"},
            {"type": "deal.reopen", "deal": f"D{few}", "stage": "A"},
            client(f"N{random.randrange(400)}"),
        ]
    )


class Mayhem:
    """``up`` and ``serve`` on one embedded book."""

    def __init__(self, directory: Path, logs: Path, seed: int) -> None:
        self._directory, self._seed, self._random = directory, seed, Random(seed)
        quiet = {"GROSSBUCH_LOG_LEVEL": "WARNING", "GROSSBUCH_CHECK_EVERY_S": "0", "GROSSBUCH_PATIENCE_S": "60"}
        self._processes = [
            Up("--data", str(directory), log=logs / f"{how}-{seed}.log", env=quiet, how=how) for how in ("up", "serve")
        ]
        self._addresses = ["", ""]
        self._numbers = count()
        self.told = Told()
        self.done: list[str] = []

    def run(self, deeds: int, seconds_between: float) -> None:
        enough = Event()
        with ExitStack() as stack:
            for number in range(2):
                self._start(number)
                stack.callback(self._processes[number].stop)
            self._begin()
            callers = [Caller(number, self._seed, self._addresses, self.told, enough) for number in range(CALLERS)]
            for caller in callers:
                caller.start()
            try:
                for _ in range(deeds):
                    sleep(seconds_between)
                    deed = self._random.choice([self.kill_one, self.kill_both, self.kill_postgres, self.hang_postgres])
                    self.done.append(deed.__name__)
                    deed()
                sleep(seconds_between)
            finally:
                enough.set()
                for caller in callers:
                    caller.join()
            assert not [caller.failed for caller in callers if caller.failed], [c.failed for c in callers if c.failed]
            self._judge()

    def _begin(self) -> None:
        with Api(self._addresses[0]) as api:
            api.given(product(), warehouse("W0"), warehouse("W1"), pipeline("P", "strict", *STAGES))
            api.given(*(client(f"C{number}") for number in range(3)))
            api.given(*(deal(f"D{number}", "P", "1.00", on="2026-01-01") for number in range(3)))
            api.given(*(received("5", on="2026-01-01", warehouse=place) for place in ("W0", "W1")))

    def kill_one(self) -> None:
        number = self._random.randrange(2)
        self._processes[number].kill()
        self._start(number)

    def kill_both(self) -> None:
        for process in self._processes:
            process.kill()
        for number in range(2):
            self._start(number)

    def kill_postgres(self) -> None:
        os.kill(self._postmaster(), signal.SIGKILL)

    def hang_postgres(self) -> None:
        """All of its processes, for a second."""
        pids = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
        found = [pid for pid in pids if _parent(pid) == self._postmaster()]
        for pid in found:
            _signal(pid, signal.SIGSTOP)
        sleep(1)
        for pid in found:
            _signal(pid, signal.SIGCONT)

    def _start(self, number: int) -> None:
        with self._processes[number].start() as api:
            self._addresses[number] = api.address

    def _postmaster(self) -> int:
        return int((self._directory / "data" / "postmaster.pid").read_text().split()[0])

    def _judge(self) -> None:
        """By what is in the book; and whether the figures say the same."""
        with Api(self._addresses[0]) as api:
            records = api.events()
            verdict = judge(records, STAGES)
            assert not verdict.wrong, verdict.wrong[:10]
            self._kept_their_word(records)
            api.written = len(records)
            for row in api.rows("/v1/stock/balances?limit=1000"):
                place = row["product"], row["warehouse"]
                assert Decimal(row["on_hand"]) == verdict.on_hand[place], row
                assert Decimal(row["reserved"]) == verdict.reserved[place], row
            owed: dict[str, Decimal] = {}
            for row in api.rows("/v1/receivables/ageing?limit=1000"):
                owed[row["client"]] = owed.get(row["client"], Decimal(0)) + Decimal(row["balance"])
            assert {who: what for who, what in owed.items() if what} == {
                who: what for who, what in verdict.owed.items() if what
            }
        assert not [process.said for process in self._processes if "Traceback" in process.said]

    def _kept_their_word(self, records: list[dict[str, Any]]) -> None:
        """What was told booked is in the book, once and there; what was told refused is not."""
        by_id = {record["metadata"]["command_id"]: record for record in records}
        last = {id: record["position"] for id, record in by_id.items()}
        moved = {id: (told, last.get(id)) for id, told in self.told.booked.items() if last.get(id) != told}
        assert not moved, f"told booked at one position, and found at another: {moved}"
        later = self.told.abandoned & self._taken_as_later_tries()
        refused = {id: code for id, code in self.told.refused.items() if id not in later}
        booked = [f"{code}, and booked: {by_id[id]}" for id, code in refused.items() if id in last]
        assert not booked, booked

    def _taken_as_later_tries(self) -> set[str]:
        """Commands that were applied by a try of which the ledger holds that it began after one that was refused."""
        sql = "SELECT split_part(command_id, chr(30), 1) FROM grossbuch.command WHERE refused_at IS NULL"
        with (
            closing(psycopg2.connect(EmbeddedServer(self._directory).dsn)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(f"{sql} AND command_id LIKE '%' || chr(30) || '%'")
            return {id for (id,) in cursor.fetchall()}


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def mayhem(directory: Path, logs: Path, seed: int, deeds: int = 5, seconds_between: float = 1.5) -> Mayhem:
    """What is wrong in the end is told with the seed and what was done."""
    made = Mayhem(directory, logs, seed)
    try:
        made.run(deeds, seconds_between)
    except BaseException as error:
        raise AssertionError(f"SEED={seed}: {', '.join(made.done)}; {dict(made.told.statuses)}") from error
    return made


@contextmanager
def _place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gb", dir="/tmp", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)
        yield Path(made)


def soak(seed: int, minutes: float) -> None:
    end = monotonic() + minutes * 60
    while monotonic() < end:
        with _place() as place:
            sys.stdout.write(f"SEED={seed}\n")
            sys.stdout.flush()
            made = mayhem(place / "book", place, seed, deeds=20, seconds_between=3)
            sys.stdout.write(f"  {dict(made.told.statuses)}, cut {made.told.cut}: {', '.join(made.done)}\n")
        seed += 1
