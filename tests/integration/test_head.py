"""What the head costs does not grow, whatever else goes on in the database."""

from collections.abc import Iterator

import pytest
from psycopg2.extensions import cursor as Cursor

from infra.postgres import head
from infra.postgres.append import EXECUTE_ONE, PREPARE
from infra.postgres.clock import DatabaseClock
from infra.postgres.connection import Connection, Database
from infra.postgres.migrate import migrate
from infra.postgres.session import Session
from tests.integration.writing import as_superuser, event

MOVES = 10_000

MOVE = "UPDATE head SET position = i WHERE position = i - 1"


@pytest.fixture(scope="module")
def moved(dsn: str) -> Iterator[Connection]:
    """A connection that made its plans on a new ledger, and whose head has since moved much while an older
    transaction would not end."""
    database = Database(dsn, "moved")
    migrate(database)
    with as_superuser(database) as connection, as_superuser(database) as old:
        with connection.cursor() as cursor, old.cursor() as reader:
            cursor.execute(f"SET synchronous_commit = off; {head.BY_INDEX}; {PREPARE}")
            cursor.execute(EXECUTE_ONE, append_after(cursor, 0))
            reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM head")
            cursor.execute(f"DO $$ BEGIN FOR i IN 2..{MOVES} LOOP {MOVE}; COMMIT; END LOOP; END $$")
        yield connection


def append_after(cursor: Cursor, position: int) -> tuple[object, ...]:
    believed = position, head.see(cursor, position).head.recorded_at
    return *believed, 1, None, "", "", *event(f"s-{position}"), "", "", "", ""


def blocks(connection: Connection, statement: str, *given: object) -> int:
    """Pages that a statement looks at."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", given)
        [([answer],)] = cursor.fetchall()
        return int(answer["Plan"]["Shared Hit Blocks"] + answer["Plan"]["Shared Read Blocks"])


def test_an_append_finds_the_head_among_the_versions_kept_for_an_older_transaction(moved: Connection) -> None:
    with moved.cursor() as cursor:
        given = append_after(cursor, MOVES)
    assert blocks(moved, EXECUTE_ONE, *given) < 50


@pytest.mark.parametrize("statement", [head.LOCK, head.POSITION, "EXECUTE see_head (1)", "EXECUTE lock_head (1)"])
def test_so_do_those_who_lock_it_or_read_it(moved: Connection, statement: str) -> None:
    assert blocks(moved, statement) < 50


@pytest.mark.parametrize("statement", ["see_head (1)", "lock_head (1)"])
def test_neither_is_compiled_before(database: Database, statement: str) -> None:
    session = Session(database, lambda: 0, DatabaseClock())
    with session.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {statement}")
        [([answer],)] = cursor.fetchall()
    session.disconnect()
    assert "JIT" not in answer
