"""The baton: an advisory lock of a session. Who has it runs, others stand by; a lost connection lets it go, and so does
one that says nothing any more (tests/integration/test_hung.py)."""

from contextlib import suppress

from infra.postgres.connection import LOST, Connection, Database, scalar
from infra.postgres.log import available

TAKE = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"

SILENT = "60s"
"""Who has not asked for so long is taken for hung. Longer than a relay waits for a slow broker, or two would take turns
with it."""


class PostgresBaton:
    """The one of this name in a ledger. Who has work during which it does not ask may be ``silent`` for longer."""

    def __init__(self, database: Database, name: str, *, silent: str | None = None) -> None:
        self._database = database
        self._name = f"{name} {database.schema}"
        self._silent = silent or SILENT
        self._connection: Connection | None = None
        self._ours = False

    def take(self) -> bool:
        """Whether it is ours from now on; asks once and does not wait. Unavailable."""
        with available():
            if not self.held():
                self._connection = self._connection or self._connect()
                self._ours = bool(self._ask(TAKE, self._name))
        return self._ours

    def held(self) -> bool:
        """Whether it is ours still, as far as the connection tells. Who asks keeps it."""
        if self._connection:
            try:
                self._ask("SELECT 1")
            except LOST:
                self.let_go()
        return self._ours

    def let_go(self) -> None:
        self._ours = False
        if self._connection:
            with suppress(*LOST):
                self._connection.close()
        self._connection = None

    def _connect(self) -> Connection:
        connection = self._database.connect(name=f"grossbuch {self._name}")
        with connection.cursor() as cursor:
            cursor.execute("SET idle_session_timeout = %s", (self._silent,))
        return connection

    def _ask(self, sql: str, *given: str) -> object:
        assert self._connection
        with self._connection.cursor() as cursor:
            cursor.execute(sql, given)
            return scalar(cursor)
