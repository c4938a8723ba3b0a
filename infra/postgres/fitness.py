"""Whether a server, a database and a user will do for a ledger, before anything is asked of them."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import quote_ident

from infra.postgres import roles
from infra.postgres.connection import Database, read_sql, scalar

FITNESS = read_sql(Path(__file__).with_name("sql") / "fitness.sql")

OLDEST = 15
SESSIONS, LOOKS = 2, 3
"""So many at a time, each looked at so often: a pooler gives its sessions to whoever asks next."""


class Unfit(Exception):
    """It will not do, and what is to be done about it."""


class _Found(NamedTuple):
    user: str
    database: str
    encoding: str
    may_make_schemas: bool
    may_make_roles: bool
    stranger: str | None
    """Who owns the ledger, if the user has not all his rights."""


def check(database: Database, *, as_maker: bool) -> None:
    """Unfit. ``as_maker``: schemas are to be made, and roles, if there are none."""
    with closing(database.connect(as_owner=True)) as connection, connection.cursor() as cursor:
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise Unfit(f"The server is PostgreSQL {version}, and {OLDEST} or later is needed.")
        cursor.execute(FITNESS, {"schema": database.schema})
        [row] = cursor.fetchall()
        found = _Found(*row)
        if found.encoding != "UTF8":
            raise Unfit(
                f"The database {found.database} is in {found.encoding}, in which not every name can be written:"
                " make one with ENCODING 'UTF8' TEMPLATE template0."
            )
        if lacking := list(_lacking(cursor, found, database, as_maker=as_maker)):
            deeds, remedies = ", nor ".join(each.deed for each in lacking), "; ".join(each.remedy for each in lacking)
            raise Unfit(f"The user {found.user} may not {deeds}: have an administrator say {remedies}.")
    _check_sessions(database)


def _lacking(cursor: Cursor, found: _Found, database: Database, *, as_maker: bool) -> Iterator[roles.Lack]:
    user, base, schema = (quote_ident(name, cursor) for name in (found.user, found.database, database.schema))
    yield from roles.lacking(cursor, database, user, as_maker=as_maker, may_make=found.may_make_roles)
    if found.stranger:
        owner = quote_ident(found.stranger, cursor)
        yield roles.Lack(f"use the schema {schema}, which belongs to {owner}", f"GRANT {owner} TO {user}")
    if as_maker and not found.may_make_schemas:
        remedy = f"GRANT CREATE ON DATABASE {base} TO {user}"
        yield roles.Lack(f"make schemas in the database {base}", remedy)


def _check_sessions(database: Database) -> None:
    """Two sessions that are open at once have never the same process behind them, and each keeps its own."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(closing(database.connect(as_owner=True))) for _ in range(SESSIONS)]
        cursors = [stack.enter_context(session.cursor()) for session in sessions]
        looks = {tuple(_process(cursor) for cursor in cursors) for _ in range(LOOKS)}
    if len(looks) > 1 or len(set(next(iter(looks)))) < SESSIONS:
        raise Unfit(
            "The address leads to a pooler that gives each transaction another session, in which roles, names and locks"
            " are lost (pgbouncer: pool_mode = transaction). Use pool_mode = session, or PostgreSQL's own address."
        )


def _process(cursor: Cursor) -> int:
    cursor.execute("SELECT pg_backend_pid()")
    return int(scalar(cursor))
