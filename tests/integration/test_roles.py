"""A ledger's roles: its owner needs few rights and is told which he lacks; the reader reads, and does nothing else."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn

from infra.postgres import fitness
from infra.postgres.connection import Database, Pool
from infra.postgres.fitness import Unfit
from infra.postgres.generations import Generations
from infra.postgres.migrate import find, migrate
from infra.postgres.read_models import PostgresReadModels
from projections import PROJECTIONS
from projections.projection import Projection
from projections.shapes import Card, Register
from tests.integration.generating import TOLD, filled
from tests.integration.writing import as_superuser, query

_numbers = count(1)


@pytest.fixture
def empty(dsn: str) -> Database:
    return Database(dsn, f"r{next(_numbers)}")


@pytest.fixture
def owner(empty: Database) -> Callable[..., Database]:
    """The ledger's database, for a user who has these rights alone."""

    def made(*rights: str) -> Database:
        say(empty, "CREATE ROLE {owner} LOGIN", *rights)
        return Database(make_dsn(empty.dsn, user=f"{empty.schema}_owner"), empty.schema)

    return made


def say(database: Database, *rights: str) -> None:
    """As an administrator."""
    names = {"owner": f"{database.schema}_owner", "service": database.service, "reader": database.reader}
    with as_superuser(database) as connection:
        connection.cursor().execute("; ".join(rights).format(**names))


def version(database: Database) -> int:
    with as_superuser(database) as connection:
        return connection.info.server_version // 10_000


SCHEMAS = "GRANT CREATE ON DATABASE grossbuch TO {owner}"
ROLES = ("CREATE ROLE {service} NOLOGIN", "CREATE ROLE {reader} NOLOGIN")
MEMBER = "GRANT {service}, {reader} TO {owner}"
MAKES_ROLES = "ALTER ROLE {owner} CREATEROLE"
SERVICE_ALONE = ("CREATE ROLE {service} NOLOGIN", "GRANT {service} TO {owner}")


@pytest.mark.parametrize(
    ("rights", "deeds"),
    [
        ([SCHEMAS], 'make the role "{service}", nor make the role "{reader}"'),
        ([SCHEMAS, *SERVICE_ALONE], 'make the role "{reader}"'),
        ([SCHEMAS, *ROLES], 'act as "{service}", nor act as "{reader}"'),
        ([*ROLES, MEMBER], 'make schemas in the database "grossbuch"'),
        (["ALTER ROLE {owner} NOINHERIT", SCHEMAS, *ROLES, MEMBER], 'act as "{service}", nor act as "{reader}"'),
        (
            ["CREATE SCHEMA {schema}", SCHEMAS, *ROLES, MEMBER],
            'use the schema "{schema}", which belongs to "grossbuch"',
        ),
        ([], 'make the role "{service}", nor make the role "{reader}", nor make schemas in the database "grossbuch"'),
    ],
    ids=["no roles", "no reader", "no member", "no schemas", "inherits nothing", "another owner", "nothing"],
)
def test_what_its_owner_may_not_is_told_and_what_an_administrator_is_to_say_is_enough(
    owner: Callable[..., Database], empty: Database, rights: list[str], deeds: str
) -> None:
    names = {"schema": empty.schema, "service": empty.service, "reader": empty.reader}
    database = owner(*(right.replace("{schema}", empty.schema) for right in rights))
    with pytest.raises(Unfit) as told:
        fitness.check(database, as_maker=True)
    said, _, remedy = str(told.value).removesuffix(".").partition(": have an administrator say ")
    assert said == f"The user {empty.schema}_owner may not {deeds.format(**names)}"
    say(empty, remedy)
    works(database)


@pytest.mark.parametrize("rights", [[SCHEMAS, *ROLES, MEMBER], [SCHEMAS, MAKES_ROLES]], ids=["given", "makes roles"])
def test_who_has_them_makes_a_ledger_and_fills_its_read_models_anew(
    owner: Callable[..., Database], rights: list[str]
) -> None:
    works(owner(*rights))


def works(database: Database) -> None:
    fitness.check(database, as_maker=True)
    migrate(database)
    fitness.check(database, as_maker=False)
    find(database)
    with closing(PostgresReadModels(database)) as read_models:
        read_models.prepare(PROJECTIONS)
    generations = Generations(database)
    for projection in PROJECTIONS:
        generations.swap_soon(generations.begin(projection, 1))
        generations.drop(projection.name, 1)


def test_one_who_may_grant_what_he_is_not_yet_grants_it_to_himself(owner: Callable[..., Database]) -> None:
    works(
        owner(SCHEMAS, *ROLES, "GRANT {service}, {reader} TO {owner} WITH ADMIN OPTION", "ALTER ROLE {owner} INHERIT")
    )


@pytest.fixture
def analyst(database: Database) -> Iterator[Connection]:
    """Somebody whose only right is to be a reader, and whose search_path is that of everybody."""
    name = f"{database.schema}_ann"
    with as_superuser(database) as connection:
        connection.cursor().execute(f"CREATE ROLE {name} LOGIN IN ROLE {database.reader}")
    with closing(psycopg2.connect(make_dsn(database.dsn, user=name))) as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture
def read(database: Database) -> None:
    with closing(PostgresReadModels(database)) as read_models:
        read_models.prepare(PROJECTIONS)


def functions(schema: str) -> Iterator[str]:
    """Each as an analyst calls it."""
    for shape in (shape for projection in PROJECTIONS for shape in projection.shapes):
        if isinstance(shape, Register | Card):
            yield f"{schema}.{shape.name}_at(NULL, NULL)"
            yield f"{schema}.{shape.name}_at('2026-05-31', 7)"
        if isinstance(shape, Register):
            yield f"{schema}.{shape.name}_between('2026-05-01', '2026-05-31')"
            yield f"{schema}.{shape.name}_flows('2026-04-10', '2026-05-31', NULL, now())"


def tables(database: Database, *schemas: str) -> list[str]:
    sql = (
        "SELECT format('%%s.%%I', relnamespace::regnamespace, relname) FROM pg_class"
        " WHERE relnamespace = ANY (%s::text[]::regnamespace[]) AND relkind IN ('r', 'p', 'v')"
    )
    found = [name for (name,) in query(database, sql, list(schemas))]
    assert len(found) > 20
    return found


def all_read(database: Database, analyst: Connection) -> None:
    schema = database.read_schema
    with analyst.cursor() as cursor:
        for asked in [*tables(database, schema), f"{database.schema}.event", *functions(schema)]:
            cursor.execute(f"SELECT * FROM {asked}")


@pytest.mark.usefixtures("read")
def test_a_reader_reads_all_read_models_by_their_names_and_the_events(database: Database, analyst: Connection) -> None:
    all_read(database, analyst)
    generations = Generations(database)
    for projection in PROJECTIONS:
        generations.swap_soon(generations.begin(projection, 1))
    generations.drop(PROJECTIONS[0].name, 1)
    all_read(database, analyst)


@pytest.mark.usefixtures("read")
def test_a_reader_writes_nothing(database: Database, analyst: Connection) -> None:
    schemas = (database.schema, database.read_schema)
    with analyst.cursor() as cursor:
        for table in tables(database, *schemas):
            for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
                cursor.execute("SELECT has_table_privilege(%s, %s)", (table, right))
                assert cursor.fetchone() == (False,), f"{right} {table}"
        for schema in schemas:
            cursor.execute("SELECT has_schema_privilege(%s, 'CREATE')", (schema,))
            assert cursor.fetchone() == (False,)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(f"SELECT * FROM {database.schema}.command")


def test_a_ledger_of_a_release_without_a_reader_gets_one(
    database: Database, pool: Pool, given: Projection, analyst: Connection
) -> None:
    """Tables that are there are granted, and so are those that are filled afterwards."""
    schema = database.schema
    with as_superuser(database) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM migration WHERE name = '0018_reader'")
        cursor.execute(
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {database.service} REVOKE ALL ON TABLES FROM {database.reader}"
        )
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema}, {schema}_read FROM {database.reader}")
        cursor.execute(f"REVOKE ALL ON SCHEMA {schema}, {schema}_read FROM {database.reader}")
    migrate(database)
    for _ in range(2):
        with analyst.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {schema}_read.given_at(NULL, NULL), {schema}.event")
        Generations(database).swap_soon(filled(database, pool, given, len(TOLD)))
