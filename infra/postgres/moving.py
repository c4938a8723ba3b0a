"""Moves what a generation consists of from one schema to another, with the months of its tables."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import read_sql

SQL = Path(__file__).with_name("sql")
OBJECTS, GRANTS, DEPENDENTS = (read_sql(SQL / f"{name}.sql") for name in ("objects", "grants", "dependents"))
OF_TABLES = read_sql(SQL / "months" / "of_tables.sql")

PATIENT = """
SELECT set_config('lock_timeout', (setting::int + 1000)::text, true) FROM pg_settings WHERE name = 'deadlock_timeout'
"""


def objects(cursor: Cursor, schema: str) -> Sequence[str]:
    """Tables, views, functions and types, as ALTER … SET SCHEMA takes them."""
    cursor.execute(OBJECTS, {"schema": schema})
    return [object for (object,) in cursor.fetchall()]


def tables(objects: Iterable[str]) -> list[str]:
    """In the order in which who asks for them mostly locks them: which months are missing is looked up last."""
    found = [object.removeprefix("TABLE ") for object in objects if object.startswith("TABLE ")]
    return sorted(found, key=lambda table: table.endswith("_detached"))


def be_patient(cursor: Cursor) -> None:
    """Wait for locks as long as autovacuum gives way to: it may have many minutes to go, and does so only for who waits
    longer than deadlock_timeout."""
    cursor.execute(PATIENT)


def keep_vacuum_out(cursor: Cursor, tables: Iterable[str]) -> None:
    """Who reads or writes does not have to wait for this lock, nor it for them; who makes a new month does."""
    cursor.execute(f"LOCK TABLE {', '.join(tables)} IN SHARE UPDATE EXCLUSIVE MODE")


def move(cursor: Cursor, objects: Iterable[str], source: str, target: str) -> None:
    """And the months of its tables: there are no new ones once these are locked."""
    for object in objects:
        kind, _, name = object.partition(" ")
        cursor.execute(f"ALTER {kind} {source}.{name} SET SCHEMA {target}")
    cursor.execute(OF_TABLES, {"tables": tables(objects), "schema": source})
    for (month,) in cursor.fetchall():
        cursor.execute(f"ALTER TABLE {source}.{month} SET SCHEMA {target}")


def grant_alike(cursor: Cursor, source: str, target: str) -> None:
    """What others may do with tables and views of one schema they may do with those of the same name in the other."""
    cursor.execute(GRANTS, {"source": source, "target": target})
    for (statement,) in cursor.fetchall():
        cursor.execute(statement)


def dependents(cursor: Cursor, schema: str) -> Sequence[str]:
    """Views of others that are made of what is in a schema."""
    cursor.execute(DEPENDENTS, {"schema": schema})
    return [view for (view,) in cursor.fetchall()]
