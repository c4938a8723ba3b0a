"""What differs between the generation that is read and one that was filled beside it: their logs, row by row, up to the
position that both have reached. What is folded from a log is held to it by ``grossbuch check``. Months of the one that
is read that are detached are passed over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import Pool, read_sql
from infra.postgres.generations import Generation, Generations
from infra.postgres.shape_sql import log_table
from projections.shapes import Register

SQL = Path(__file__).with_name("sql")
CHECKSUM = read_sql(SQL / "checksum.sql")
DIFFER = read_sql(SQL / "differ.sql")
COLUMNS = read_sql(SQL / "exact_columns.sql")
REACHED = "SELECT min(position) FROM tracking WHERE consumer IN (%s, %s)"


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that only one of the two has."""

    table: str
    only_in: str
    position: int
    row: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Up to which position both were compared; the first rows that only one has, in order of position, and whether
    there are more."""

    position: int
    rows: Sequence[Difference]
    more: bool


def differences(pool: Pool, generations: Generations, new: Generation, most: int) -> Comparison:
    """Tables of other columns differ as a whole."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(REACHED, (new.projection.name, new.consumer))
        [(upto,)] = cursor.fetchall()
        read = pool.database.read_schema
        filled = generations.schema(new.projection.name, new.number)
        found: list[Difference] = []
        for shape in new.projection.shapes:
            table = log_table(shape)
            sides = f"{read}.{table}", f"{filled}.{table}"
            but = _detached(cursor, f"{read}.{shape.name}_detached") if isinstance(shape, Register) else ""
            found += _differences(cursor, table, *sides, but, upto, most + 1)
    found.sort(key=lambda each: (each.position, each.table, each.only_in))
    return Comparison(upto, found[:most], len(found) > most)


def _detached(cursor: Cursor, months: str) -> str:
    """What leaves them out."""
    cursor.execute("SELECT to_regclass(%s) IS NULL", (months,))
    if cursor.fetchone() == (True,):
        return ""
    return f"WHERE NOT EXISTS (SELECT FROM {months} WHERE effective_at >= starts AND effective_at < ends)"


def _differences(
    cursor: Cursor, table: str, old: str, new: str, but: str, upto: int, most: int
) -> Iterator[Difference]:
    cursor.execute("SELECT to_regclass(%s) IS NULL", (old,))
    if cursor.fetchone() == (True,):
        yield Difference(table, "filled", 0, "the whole table")
        return
    columns = [_columns(cursor, each) for each in (old, new)]
    (were, _), (are, _) = columns
    if were != are:
        yield Difference(table, "both", 0, f"columns were {were}, and are {are}")
        return
    compared = [f"(SELECT {exactly} FROM {each} {but})" for each, (_, exactly) in zip((old, new), columns, strict=True)]
    if _checksum(cursor, compared[0], upto) != _checksum(cursor, compared[1], upto):
        cursor.execute(DIFFER.format(old=compared[0], new=compared[1]), {"upto": upto, "most": most})
        for only_in, position, row in cursor.fetchall():
            yield Difference(table, only_in, position, row)


def _columns(cursor: Cursor, table: str) -> tuple[str, str]:
    cursor.execute(COLUMNS, (table,))
    [(names, exactly)] = cursor.fetchall()
    return names, exactly


def _checksum(cursor: Cursor, table: str, upto: int) -> tuple[object, ...] | None:
    cursor.execute(CHECKSUM.format(table=table), {"upto": upto})
    return cursor.fetchone()
