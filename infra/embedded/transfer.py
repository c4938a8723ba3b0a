"""All that is in one server's database brought into another's, and compared row by row."""

import subprocess
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, NamedTuple

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from infra.embedded.binaries import Binaries
from infra.embedded.errors import EmbeddedError
from infra.embedded.server import USER

OTHERS = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', current_database())"
SQL = Path(__file__).with_name("sql")
TABLES, CONTENTS = ((SQL / f"{name}.sql").read_text(encoding="utf-8") for name in ("tables", "contents"))


ROLE_OF_BOTH = f"CREATE ROLE {USER};"


class Contents(NamedTuple):
    """Of a table."""

    rows: int
    digest: Decimal | None


def transfer(old: str, new: str, programs: Binaries, log: Path) -> Mapping[str, Contents]:
    """From dsn to dsn, with roles, rights and triggers; gives the tables. The programs are those of the new server."""
    with closing(_connect(old)) as source, closing(_connect(new)) as target:
        _refuse_others(source)
        with log.open("ab") as told:
            _roles(old, new, programs, told)
            _rows(old, new, programs, told)
        target.cursor().execute("ANALYZE")
        before, after = _contents(source), _contents(target)
    if differing := sorted(name for name in before.keys() | after if before.get(name) != after.get(name)):
        raise EmbeddedError(
            f"Not everything has arrived as it was: {', '.join(differing)}. The old database is read on."
        )
    return after


def _connect(dsn: str) -> Connection:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    connection.cursor().execute("SET TIME ZONE 'UTC'")
    return connection


def _refuse_others(source: Connection) -> None:
    with source.cursor() as cursor:
        cursor.execute(OTHERS)
        if others := ", ".join(name for (name,) in cursor.fetchall()):
            raise EmbeddedError(f"The server has other databases, which would be left behind: {others}. Take them out.")


def _roles(old: str, new: str, programs: Binaries, told: BinaryIO) -> None:
    """They belong to the server. One of them, the first, has been made with it."""
    dump = [programs["pg_dumpall"], "--roles-only", "--dbname", old]
    dumped = subprocess.run(dump, stdout=subprocess.PIPE, stderr=told, text=True, check=False)
    lines = [line for line in dumped.stdout.splitlines(keepends=True) if line.strip() != ROLE_OF_BOTH]
    loaded = subprocess.run(
        _load(new, programs), input="".join(lines), stdout=told, stderr=told, text=True, check=False
    )
    _check(dumped.returncode, loaded.returncode, told)


def _rows(old: str, new: str, programs: Binaries, told: BinaryIO) -> None:
    with subprocess.Popen([programs["pg_dump"], "--dbname", old], stdout=subprocess.PIPE, stderr=told) as dumping:
        load = [*_load(new, programs), "--single-transaction"]
        loaded = subprocess.run(load, stdin=dumping.stdout, stdout=told, stderr=told, check=False)
    _check(dumping.returncode, loaded.returncode, told)


def _load(new: str, programs: Binaries) -> list[str]:
    return [programs["psql"], "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", new]


def _check(dumped: int, loaded: int, told: BinaryIO) -> None:
    if dumped or loaded:
        raise EmbeddedError(f"The database could not be copied; {told.name} tells why. It is read on as it was.")


def _contents(connection: Connection) -> Mapping[str, Contents]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return {table: _content(cursor, table) for (table,) in cursor.fetchall()}


def _content(cursor: Cursor, table: str) -> Contents:
    cursor.execute(CONTENTS.format(table=table))
    [row] = cursor.fetchall()
    return Contents(*row)
