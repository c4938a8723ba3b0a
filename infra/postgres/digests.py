"""Digests of the book, block by block: kept when a block is first checked, and compared ever after
(checks/book/digests.sql). Whoever appends has nothing to do with it."""

from collections.abc import Callable
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import read_sql

KEEP = read_sql(Path(__file__).with_name("sql") / "keep_digest.sql")

BLOCK = 10_000
"""Events of a block."""


def keep(cursor: Cursor, progress: Callable[[int], object]) -> None:
    """Of blocks that have none yet, each in a transaction of its own."""
    cursor.execute(KEEP, {"block": BLOCK})
    while cursor.rowcount:
        progress(0)
        cursor.execute(KEEP, {"block": BLOCK})
