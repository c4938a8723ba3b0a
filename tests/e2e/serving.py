"""Ways to serve a book: in a thread of the tests, or as the process that users start."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import httpx

from api.http.app import create_app
from api.http.limits import Limits
from api.http.server import Server
from api.service import Service
from tests.e2e.api import Api

GROSSBUCH = str(Path(sys.executable).with_name("grossbuch"))
READY_WITHIN = 60.0


@contextmanager
def in_thread(service: Service, limits: Limits | None = None) -> Iterator[Api]:
    """The application behind a real socket, without a process of its own."""
    service.projecting.start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(create_app(service), limits or Limits())
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            with Api(f"http://127.0.0.1:{listener.getsockname()[1]}") as api:
                yield api
        finally:
            server.should_exit = True
            thread.join()


class Up:
    """``grossbuch up`` or ``serve`` as a process. What it says goes to a file, so it never waits for a reader."""

    def __init__(
        self,
        *arguments: str,
        log: Path,
        env: dict[str, str] | None = None,
        how: str = "up",
        program: Sequence[str] = (GROSSBUCH,),
    ) -> None:
        self._arguments = (*program, how, "--port", "0", *arguments)
        self._log = log
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    def start(self) -> Api:
        self._log.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._arguments, stdout=log, stderr=log, env=self._env)
        deadline = monotonic() + READY_WITHIN
        while monotonic() < deadline and self._process.poll() is None:
            if self._is_ready():
                return Api(self.address)
            sleep(0.05)
        raise AssertionError(f"not ready: {self._log.read_text()}")

    def stop(self, sign: int = signal.SIGTERM) -> int:
        assert self._process
        self._process.send_signal(sign)
        return self._process.wait(timeout=60)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def said(self) -> str:
        return self._log.read_text()

    def _is_ready(self) -> bool:
        if not (found := re.search(r"http://127\.0\.0\.1:\d+", self.said)):
            return False
        self.address = found[0]
        try:
            return httpx.get(f"{self.address}/v1/health/ready").status_code == 200
        except httpx.TransportError:
            return False
