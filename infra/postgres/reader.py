"""How somebody connects as the reader of a ledger."""

from contextlib import closing

from psycopg2.extensions import encrypt_password, make_dsn, parse_dsn, quote_ident

from infra.postgres.connection import Database


def address(database: Database, **instead: str | None) -> str:
    """Of sessions that act as the reader from the beginning, whoever logs in, and look for names among read models."""
    options = f"-c role={database.reader} -c search_path={database.read_schema}"
    return str(
        make_dsn(**{**parse_dsn(database.dsn), "application_name": "grossbuch sql", "options": options, **instead})
    )


def let_log_in(database: Database, password: str | None = None) -> None:
    """On a server of our own, where we are a superuser, so that who reads is none. Without a password he comes by the
    socket alone."""
    with (
        closing(database.connect(as_owner=True, autocommit=False)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        role = quote_ident(database.reader, cursor)
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"role {database.reader}",))
        cursor.execute(f"ALTER ROLE {role} LOGIN")
        if password:
            digest = encrypt_password(password, database.reader, scope=connection, algorithm="scram-sha-256")
            cursor.execute(f"ALTER ROLE {role} PASSWORD %s", (digest,))


def tcp_port(database: Database) -> int | None:
    """Where the server listens besides its socket."""
    with closing(database.connect(as_owner=True)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('port')::int WHERE current_setting('listen_addresses') <> ''")
        found = cursor.fetchone()
        return int(found[0]) if found else None
