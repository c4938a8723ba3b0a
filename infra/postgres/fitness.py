"""Whether a server, a database and a user will do for a ledger, before anything is asked of them."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import quote_ident

from infra.postgres.connection import Database, read_sql, scalar
from infra.postgres.migrate import membership

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
    is_member: bool | None
    """Of the service role; None: there is none."""


def check(database: Database, *, as_maker: bool) -> None:
    """Unfit. ``as_maker``: schemas are to be made, and a role, if there is none."""
    with closing(database.connect(as_owner=True)) as connection, connection.cursor() as cursor:
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise Unfit(f"The server is PostgreSQL {version}, and {OLDEST} or later is needed.")
        cursor.execute(FITNESS, {"membership": membership(cursor), "service": database.service})
        [row] = cursor.fetchall()
        found = _Found(*row)
        if found.encoding != "UTF8":
            raise Unfit(
                f"The database {found.database} is in {found.encoding}, in which not every name can be written:"
                " make one with ENCODING 'UTF8' TEMPLATE template0."
            )
        if missing := _missing_rights(cursor, found, database.service, as_maker=as_maker):
            raise Unfit(missing)
    _check_sessions(database)


def _missing_rights(cursor: Cursor, found: _Found, service: str, *, as_maker: bool) -> str:
    user, base, role = (quote_ident(name, cursor) for name in (found.user, found.database, service))
    if found.is_member is False and not found.may_make_roles:
        return f"The user {user} may not act as {role}: have an administrator say GRANT {role} TO {user}."
    if as_maker and found.is_member is None and not found.may_make_roles:
        return (
            f"There is no role {role}, and the user {user} may not make it: have an administrator say"
            f" CREATE ROLE {role} NOLOGIN; GRANT {role} TO {user}."
        )
    if as_maker and not found.may_make_schemas:
        return (
            f"The user {user} may not make schemas in the database {base}: have an administrator say"
            f" GRANT CREATE ON DATABASE {base} TO {user}."
        )
    return ""


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
