"""Read models on PostgreSQL: rows are copied, sums upserted and progress moved in one transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO

import structlog
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from consumers.ports import Overtaken, Placed
from infra.postgres.connection import LOST, Database
from infra.postgres.migrate import read_ledger
from infra.postgres.shape_sql import create_statements, fold_statements, log_table
from projections.projection import Projection
from projections.shapes import Cell, Shape

log = structlog.get_logger(__name__)

LOG_COLUMNS = "position, line, effective_at, recorded_at, type"


class PostgresReadModels:
    """One connection, used by one thread: consumers share nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def prepare(self, projections: Iterable[Projection]) -> None:
        """Make the tables of new projections, and begin again with those whose version changed."""
        for projection in projections:
            with self._transaction() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (projection.name,))
                version = self._version(cursor, projection)
                if version != projection.version:
                    if version is not None:
                        log.info("projection changed", projection=projection.name, was=version, now=projection.version)
                    self._reset(cursor, projection)

    def position(self, projection: Projection) -> int:
        with self._transaction() as cursor:
            cursor.execute("SELECT position FROM tracking WHERE consumer = %s AND partition = 0", (projection.name,))
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def write(self, projection: Projection, after: int, upto: int, rows: Mapping[Shape, Sequence[Placed]]) -> None:
        with self._transaction() as cursor:
            cursor.execute(
                "UPDATE tracking SET position = %s WHERE consumer = %s AND partition = 0 AND position = %s",
                (upto, projection.name, after),
            )
            if cursor.rowcount != 1:
                raise Overtaken(projection.name)
            for shape, placed in rows.items():
                if placed:
                    self._copy(cursor, shape, placed)
                    self._fold(cursor, shape, after, upto)

    def reset(self, projection: Projection) -> None:
        with self._transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (projection.name,))
            self._reset(cursor, projection)

    def close(self) -> None:
        if self._connection:
            self._connection.close()

    def _copy(self, cursor: Cursor, shape: Shape, placed: Sequence[Placed]) -> None:
        lines = StringIO("".join(map(_line, placed)))
        columns = ", ".join(shape.columns)
        cursor.copy_expert(f"COPY {log_table(shape)} ({LOG_COLUMNS}, {columns}) FROM STDIN", lines)

    def _fold(self, cursor: Cursor, shape: Shape, after: int, upto: int) -> None:
        found: list[object] = []
        for statement in fold_statements(shape):
            cursor.execute(statement, {"after": after, "upto": upto, "found": found})
            found = [row[0] for row in cursor.fetchall()] if cursor.description else []

    def _version(self, cursor: Cursor, projection: Projection) -> int | None:
        cursor.execute("SELECT version FROM projection WHERE name = %s", (projection.name,))
        row = cursor.fetchone()
        return int(row[0]) if row else None

    def _reset(self, cursor: Cursor, projection: Projection) -> None:
        time_zone = read_ledger(cursor).time_zone
        for shape in projection.shapes:
            for statement in create_statements(shape, time_zone):
                cursor.execute(statement)
        cursor.execute(
            "INSERT INTO projection (name, version) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET version = excluded.version",
            (projection.name, projection.version),
        )
        cursor.execute(
            "INSERT INTO tracking (consumer, position) VALUES (%s, 0)"
            " ON CONFLICT (consumer, partition) DO UPDATE SET position = 0",
            (projection.name,),
        )

    @contextmanager
    def _transaction(self) -> Iterator[Cursor]:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect(name="grossbuch consumer", autocommit=False, read_first=True)
        try:
            with self._connection, self._connection.cursor() as cursor:
                yield cursor
        except LOST:
            self._connection.close()
            raise


def _line(placed: Placed) -> str:
    event, line, row = placed
    cells = "\t".join(map(_cell, row))
    return f"{event.position}\t{line}\t{event.effective_at}\t{event.recorded_at}\t{event.type}\t{cells}\n"


def _cell(cell: Cell) -> str:
    """A value in COPY's text form: a backslash, a tab or a line's end in it would be taken for COPY's own."""
    if cell is None:
        return "\\N"
    if not isinstance(cell, str):
        return str(cell)
    if "\\" in cell:
        cell = cell.replace("\\", "\\\\")
    if not cell.isprintable():
        cell = cell.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return cell
