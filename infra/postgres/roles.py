"""The roles of a ledger: the service, as which the product works, and the reader, as which analysts read.

Its owner is a member of both. They belong to the server, not to the database: another ledger of this name may have made
them already, or an administrator.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import quote_ident

from infra.postgres.connection import Database, read_sql

MEMBERSHIPS = read_sql(Path(__file__).with_name("sql") / "memberships.sql")


class Membership(NamedTuple):
    """``is_whole``: he may act as the role, and has its rights; since PostgreSQL 16 a member may lack either."""

    is_whole: bool
    is_member: bool
    is_grantable: bool


class Lack(NamedTuple):
    """What a user may not do, and what lets him."""

    deed: str
    remedy: str


def memberships(cursor: Cursor, database: Database) -> Mapping[str, Membership]:
    """The user's, in the roles that there are."""
    version = _version(cursor)
    given = {"act_as": "SET" if version >= 16 else "MEMBER", "version": version, "roles": list(database.roles)}
    cursor.execute(MEMBERSHIPS, given)
    return {role: Membership(*rest) for role, *rest in cursor.fetchall()}


def make(cursor: Cursor, database: Database) -> None:
    """Those that there are not."""
    for role in database.roles:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"role {role}",))
    there = memberships(cursor, database)
    for role in database.roles:
        name = quote_ident(role, cursor)
        if role not in there:
            cursor.execute(f"CREATE ROLE {name} NOLOGIN")
        if role not in there or not there[role].is_whole:
            cursor.execute(f"GRANT {name} TO CURRENT_USER{_whole(cursor)}")


def lacking(cursor: Cursor, database: Database, user: str, *, as_maker: bool, may_make: bool) -> Iterator[Lack]:
    """What keeps the user, by his quoted name, from being what there is, or, ``as_maker``, from making it so."""
    there = memberships(cursor, database)
    for role in database.roles:
        name, found = quote_ident(role, cursor), there.get(role)
        if found is None and as_maker and not may_make:
            yield Lack(f"make the role {name}", f"CREATE ROLE {name} NOLOGIN; GRANT {name} TO {user}")
        if found and not found.is_whole and not (as_maker and found.is_grantable):
            yield Lack(f"act as {name}", _remedy(cursor, name, user, found))


def _remedy(cursor: Cursor, role: str, user: str, found: Membership) -> str:
    if found.is_member and _version(cursor) < 16:
        return f"ALTER ROLE {user} INHERIT"
    return f"GRANT {role} TO {user}{_whole(cursor) if found.is_member else ''}"


def _whole(cursor: Cursor) -> str:
    return " WITH INHERIT TRUE, SET TRUE" if _version(cursor) >= 16 else ""


def _version(cursor: Cursor) -> int:
    return cursor.connection.info.server_version // 10_000
