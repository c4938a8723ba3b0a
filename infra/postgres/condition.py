"""In what condition the server is that keeps the ledger."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from infra.postgres.connection import Database, read_sql, scalar

OLDEST_TRANSACTION = read_sql(Path(__file__).with_name("sql") / "oldest_transaction.sql")
UNSAFE = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name"


class Condition(NamedTuple):
    oldest_transaction_seconds: float
    """Of those that the owner may see: all, if it has pg_read_all_stats."""
    unsafe: Sequence[str]
    """Settings with which a crash of the server may lose what was answered with 201."""


def condition(database: Database) -> Condition:
    """As the owner: the service role may not even see its own sessions."""
    with closing(database.connect(as_owner=True)) as connection, connection.cursor() as cursor:
        cursor.execute(OLDEST_TRANSACTION)
        seconds = scalar(cursor)
        cursor.execute(UNSAFE)
        return Condition(seconds, [name for (name,) in cursor.fetchall()])
