"""A Kafka broker of one node: made, started, stopped, and hurt on purpose. For tests, benchmarks and a first try.

``data/`` is its log, ``data.half/`` half of a formatted one, ``broker.log`` what it says, ``broker.pid`` who it is,
``broker.lock`` held by the living broker, so that no pid is trusted of one that is dead.
"""

import base64
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from types import TracebackType
from typing import Self
from uuid import uuid4

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.embedded.locks import FileLock, is_held
from infra.kafka.connection import connection
from infra.kafka.guard import Guard
from infra.kafka.jars import assemble
from infra.kafka.java import BrokerError, java
from infra.kafka.ports import HOST, answers, free_port, is_free
from infra.kafka.properties import Security, properties
from infra.settings import Settings

PATIENCE = 240.0
"""Seconds that a start, or a stop, may take on a very busy machine; six are usual."""

SWIFT = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Of the JVM: one that is soon gone comes up with half the processor time if it compiles no further than it must."""

REASON = re.compile(r"(Caused by: )?[\w.$]+(Exception|Error): ")
"""A line of a log that names an exception: of a chain the last is the cause."""


class Broker:
    """Used with ``with``, it lives as long as the block, and no longer than this process."""

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        *,
        security: Security | None = None,
        jvm: Sequence[str] = SWIFT,
        outlives: bool = False,
    ) -> None:
        """Port 0: a free one, which it keeps over a restart. ``outlives``: it runs on when this process ends."""
        self.directory = directory.resolve()
        self.port = port or free_port()
        self._controller_port = free_port()
        self._security = security
        self._jvm = jvm
        self._outlives = outlives
        self._told = 0  # bytes of the log that are of earlier lives

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a process of ours to this broker."""
        told = {"KAFKA_BOOTSTRAP": self.bootstrap, "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}
        if secured := self._security:
            told |= {
                "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
                "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
                "KAFKA_SASL_USERNAME": secured.username,
                "KAFKA_SASL_PASSWORD": secured.password,
                "KAFKA_SSL_CAFILE": str(secured.ca),
            }
        return told

    @property
    def settings(self) -> Settings:
        return Settings.model_validate({name.lower(): value for name, value in self.environment.items()})

    @property
    def is_alive(self) -> bool:
        return (self.directory / "broker.lock").exists() and is_held(self.directory / "broker.lock")

    @property
    def running_port(self) -> int | None:
        """Of the broker that runs in this directory, whoever started it."""
        if not self.is_alive:
            return None
        found = re.search(r"CLIENTS://\w+:(\d+)", (self.directory / "server.properties").read_text())
        return int(found[1]) if found else None

    def start(self, *, wait: bool = True) -> None:
        """BrokerError if the directory or the port is in use, or it does not come up; its last words are told."""
        if self.is_alive:
            raise BrokerError(f"A broker runs in {self.directory} already.")
        if not is_free(self.port):
            raise BrokerError(f"Port {self.port} is in use.")
        java()  # is told of before Maven, which needs it, too
        self.directory.mkdir(parents=True, exist_ok=True)
        jars = assemble()
        if not (self.directory / "data").exists():
            self._format(jars)
        self._launch(jars)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Until it answers an admin client: it does so once it serves."""
        given = connection(self.settings) | {"bootstrap_timeout_ms": 2_000, "request_timeout_ms": 5_000}
        begun = monotonic()
        while monotonic() - begun < PATIENCE:
            if not self.is_alive:
                raise BrokerError(f"The broker did not start: {self._last_words()}")
            if answers(self.port):
                try:
                    with KafkaAdminClient(**given) as admin:
                        if admin.describe_cluster()["brokers"]:
                            return
                except KafkaError:
                    pass
            sleep(0.05)
        raise BrokerError(f"The broker was not ready after {PATIENCE:.0f} s: {self._last_words()}")

    def stop(self) -> None:
        """In order; a paused one is woken to do so."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        self.wait_until_gone()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self.wait_until_gone()

    def pause(self) -> None:
        """It keeps its connections and answers nobody."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        self.stop()

    def _format(self, jars: Path) -> None:
        """Into ``data.half`` first, renamed when whole."""
        half = self.directory / "data.half"
        shutil.rmtree(half, ignore_errors=True)
        told = self._write_properties(half)
        identity = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=").replace("-", "A")
        command = ["kafka.tools.StorageTool", "format", "-t", identity, "-c", str(told)]
        if secured := self._security:
            command += ["--add-scram", f"SCRAM-SHA-512=[name={secured.username},password={secured.password}]"]
        words = [java(), *SWIFT, "-cp", f"{jars}/*", *command]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BrokerError(f"The broker's log was not formatted: {done.stdout.strip()} {done.stderr.strip()}")
        half.rename(self.directory / "data")

    def _write_properties(self, data: Path) -> Path:
        path = self.directory / "server.properties"
        path.touch(mode=0o600)
        path.write_text(properties(data, self.port, self._controller_port, self._security))
        return path

    def _launch(self, jars: Path) -> None:
        told = self._write_properties(self.directory / "data")
        lock = FileLock(self.directory / "broker.lock")
        if not lock.take(wait=False):
            lock.close()
            raise BrokerError(f"A broker runs in {self.directory} already.")
        jvm = [*self._jvm, "-XX:+ExitOnOutOfMemoryError", f"-XX:ErrorFile={self.directory}/crash.log"]
        try:
            with (self.directory / "broker.log").open("ab") as log:
                self._told = log.tell()
                process = subprocess.Popen(
                    [java(), *jvm, "-Dlog4j2.level=INFO", "-cp", f"{jars}/*", "kafka.Kafka", str(told)],
                    cwd=self.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock.fd,),
                    start_new_session=True,
                )
            (self.directory / "broker.pid").write_text(str(process.pid))
        finally:
            lock.close()
        guard = None if self._outlives else Guard(process.pid)
        Thread(target=_attend, args=(process, guard), daemon=True, name="kafka broker").start()

    def _signal(self, number: signal.Signals) -> None:
        if self.is_alive:
            os.kill(int((self.directory / "broker.pid").read_text()), number)

    def wait_until_gone(self) -> None:
        begun = monotonic()
        while self.is_alive:
            if monotonic() - begun > PATIENCE:
                raise BrokerError(f"The broker of {self.directory} does not stop.")
            sleep(0.01)

    def _last_words(self) -> str:
        with (self.directory / "broker.log").open("rb") as log:
            log.seek(self._told)
            lines = log.read().decode(errors="replace").splitlines()
        causes = [line for line in lines if REASON.match(line)]
        return (causes or lines or ["it said nothing"])[-1]


def _attend(process: subprocess.Popen[bytes], guard: Guard | None) -> None:
    """No zombie stays with us; it is one until the guard, who knows only its id, has let go."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    if guard:
        guard.release()
    process.wait()
