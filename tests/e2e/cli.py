"""``grossbuch`` as a user runs it."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from api.cli import main
from api.service import open_service
from infra.settings import Settings
from tests import forked
from tests.e2e.api import Api
from tests.e2e.load import eventually
from tests.e2e.serving import GROSSBUCH, in_thread
from tests.forked import Forked


@dataclass(frozen=True, slots=True)
class Cli:
    """The command line on one ledger; what it has done can be asked over HTTP."""

    dsn: str
    ledger: str

    @property
    def env(self) -> dict[str, str]:
        return {"DATABASE_URL": self.dsn, "GROSSBUCH_LEDGER": self.ledger, "GROSSBUCH_LOG_LEVEL": "WARNING"}

    def __call__(self, *arguments: str, status: int = 0, input: str | None = None) -> subprocess.CompletedProcess[str]:
        return run(*arguments, status=status, input=input, env=self.env)

    def make(self) -> None:
        """The book; only ``up`` and a few others would."""
        self("migrate", "--new")

    def json(self, *arguments: str, status: int = 0, input: str | None = None) -> Any:
        return json.loads(self(*arguments, "--json", status=status, input=input).stdout)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        env = {**os.environ, **self.env}
        return subprocess.Popen(
            [GROSSBUCH, *arguments],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # as a terminal does: Ctrl-C goes to it and all that it has started
        )

    @contextmanager
    def staying(self, *arguments: str, says: str, log: Path, **more: str) -> Iterator[Forked]:
        """A process that stays until it is asked to stop; given once it has said this."""
        log.touch()
        env = {**os.environ, **self.env, **more}
        process = Forked(main, ("grossbuch", *arguments), env, (os.devnull, log))
        try:
            eventually(lambda: says in log.read_text() or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield process
        finally:
            process.terminate()
            process.wait(30)

    @contextmanager
    def served(self) -> Iterator[Api]:
        with open_service(Settings(database_url=self.dsn, ledger=self.ledger)) as service, in_thread(service) as api:
            api.written = api.log_size()
            yield api

    def size(self) -> int:
        """Events so far; 0 where there is no ledger yet."""
        rows = self.sql(f"SELECT to_regclass('{self.ledger}.head') IS NOT NULL")
        return int(self.sql(f"SELECT position FROM {self.ledger}.head")[0][0]) if rows[0][0] else 0

    def read_models(self) -> dict[str, list[str]]:
        """Every row of every table, as text."""
        schema = f"{self.ledger}_read"
        names = self.sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' ORDER BY 1")
        return {
            name: [r for (r,) in self.sql(f"SELECT t::text FROM {schema}.{name} t ORDER BY 1")] for (name,) in names
        }

    def execute(self, text: str) -> None:
        """What nobody should do by hand."""
        with psycopg2.connect(self.dsn) as connection, connection.cursor() as cursor:
            cursor.execute(text)
        connection.close()

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.dsn)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall()
        finally:
            connection.close()


def run(
    *arguments: str, status: int = 0, input: str | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = forked.run(main, ("grossbuch", *arguments), {**os.environ, **(env or {})}, input or "", timeout=240)
    assert done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done
