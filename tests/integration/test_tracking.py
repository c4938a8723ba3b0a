"""What it costs to move and to read how far a consumer is does not grow, whatever else goes on in the database."""

from collections.abc import Iterator

import pytest

from infra.postgres import head
from infra.postgres.connection import Connection, Database
from infra.postgres.generations import SPREAD
from infra.postgres.migrate import migrate
from infra.postgres.queries import PROGRESS
from infra.postgres.read_models import ADVANCE, PLACES, REACHED
from tests.integration.test_head import blocks
from tests.integration.writing import as_superuser

MOVES = 10_000
MOVE = "UPDATE tracking SET position = i WHERE consumer = 'given' AND partition = 0 AND position = i - 1"
OF = {"projection": "given", "consumer": "given", "version": 1, "layout": 1, "partitions": 1}


@pytest.fixture(scope="module")
def moved(dsn: str) -> Iterator[Connection]:
    """A connection that made its plans on a new ledger; the place of a consumer has since moved much while an older
    transaction would not end."""
    database = Database(dsn, "moved_far")
    migrate(database)
    with as_superuser(database) as connection, as_superuser(database) as old:
        with connection.cursor() as cursor, old.cursor() as reader:
            cursor.execute(SPREAD, {"consumer": "given", "partitions": 1, "position": 0})
            cursor.execute("INSERT INTO projection VALUES ('given', 1)")
            cursor.execute("INSERT INTO generation VALUES ('given', 1, 1, 'current', '{}')")
            cursor.execute(PROGRESS, {"answered_from": "given"})
            event = "'s', 1, 't', 1, 's', now(), now(), '{}', '{}'"
            cursor.execute(f"INSERT INTO event SELECT {MOVES + 1}, {event}")
            reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM tracking")
            cursor.execute(f"SET synchronous_commit = off; {head.BY_INDEX}")
            cursor.execute(f"DO $$ BEGIN FOR i IN 1..{MOVES} LOOP {MOVE}; COMMIT; END LOOP; END $$")
            cursor.execute("RESET ALL; SET search_path = moved_far")
            for statement in (
                "VACUUM tracking",
                "ANALYZE tracking",
            ):  # as autovacuum does: to the planner there is one row
                cursor.execute(statement)
        yield connection


def test_a_move_finds_its_row_among_the_versions_kept_for_an_older_transaction(moved: Connection) -> None:
    given = {**OF, "partition": [0], "after": [MOVES], "upto": [MOVES + 1], "recorded_at": [None]}
    with moved.cursor() as cursor:
        cursor.execute("BEGIN")
        statement = cursor.mogrify(ADVANCE, given).decode()
        assert blocks(moved, statement.replace("%", "%%")) < 50
        cursor.execute("SELECT position FROM places('given')")
        assert cursor.fetchall() == [(MOVES + 1,)]  # to explain it was to do it
        cursor.execute("ROLLBACK")


@pytest.mark.parametrize("statement", [PLACES, REACHED, PROGRESS.replace("%(answered_from)s", "%s")])
def test_so_does_who_reads_how_far_it_is(moved: Connection, statement: str) -> None:
    assert blocks(moved, statement, "given") < 150
