"""A page within some bytes: as many rows as they hold, one at least, in their order; and how many there are."""

from typing import Any

import pytest

from infra.postgres.connection import Pool
from infra.postgres.queries import within

ROWS = (
    "SELECT n, repeat('x', size) AS text FROM (VALUES (1, 10), (2, 100000), (3, 10), (4, 10)) row (n, size) ORDER BY n"
)


def found(pool: Pool, bytes: int | None) -> tuple[list[int], bool]:
    """The rows, and whether there would be more."""
    rows: list[tuple[Any, ...]] = pool.read(within(ROWS, ["n"]), {"bytes": bytes})
    return [number for number, _, _, _ in rows], bool(rows[-1][2])


@pytest.mark.parametrize(("bytes", "rows"), [(1, [1]), (1000, [1, 2]), (100_000, [1, 2]), (101_000, [1, 2, 3, 4])])
def test_a_page_ends_where_the_bytes_end(pool: Pool, bytes: int, rows: list[int]) -> None:
    assert found(pool, bytes) == (rows, len(rows) < 4)


def test_what_lies_there_compressed_counts_as_it_comes(pool: Pool) -> None:
    """A thousand bytes in the table."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE big AS SELECT n, repeat('x', 100000) AS text FROM generate_series(1, 4) n")
        cursor.execute(within("SELECT * FROM big ORDER BY n", ["n"]), {"bytes": 150_000})
        assert len(cursor.fetchall()) == 2


def test_without_bytes_all_of_it(pool: Pool) -> None:
    assert found(pool, None) == ([1, 2, 3, 4], False)
