"""Two releases serve one ledger while the one takes over from the other: nobody is told that something went wrong."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest

from api.projecting import store_projector
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import migrate
from infra.postgres.read_models import PostgresReadModels
from projections import PROJECTIONS
from projections.projection import Projection
from projections.shapes import Register
from tests.e2e.api import Api, problem
from tests.e2e.cli import Cli
from tests.e2e.given import client
from tests.e2e.load import eventually
from tests.e2e.releases import release_after, release_before
from tests.e2e.serving import Up
from tests.e2e.test_queries import PATHS, a_little_of_everything

GENERATIONS = "SELECT projection, number, layout, state FROM {ledger}.generation ORDER BY 1, 2"

TABLES = """
SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text = ANY (%s)
"""


@contextmanager
def dump(cli: Cli) -> Iterator[None]:
    """As pg_dump holds all tables, in one transaction for as long as it takes."""
    connection = psycopg2.connect(cli.dsn, application_name="pg_dump")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(TABLES, ([cli.ledger, f"{cli.ledger}_read"],))
            for (table,) in cursor.fetchall():
                cursor.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        yield
    finally:
        connection.close()


def serves(api: Api) -> None:
    """A command is taken, and every query answered from the book with it."""
    api.given(client(f"C{api.log_size() + 1}"))
    for path in PATHS:
        answer = api.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"


def is_taken_over(cli: Cli) -> bool:
    current = [layout for _, _, layout, state in cli.sql(GENERATIONS.format(ledger=cli.ledger)) if state == "current"]
    return len(current) == len(PROJECTIONS) and min(current) >= 10


@pytest.fixture
def next(cli: Cli, tmp_path: Path) -> Up:
    return release_after(tmp_path / "after").up(tmp_path / "after.log", cli.env)


def take_over(cli: Cli, here: Api, next: Up) -> None:
    """The next release starts behind a dump, migrates, fills and swaps; the one that is here serves all the while."""
    with ThreadPoolExecutor(1) as thread:
        with dump(cli):
            starting = thread.submit(next.start)
            eventually(lambda: serves(here) or "waits for who reads" in next.said or starting.done())
            assert "pg_dump, process" in next.said
        with starting.result(120) as there:
            eventually(lambda: serves(here) or is_taken_over(cli))
            for api in (here, there, here):
                serves(api)


def test_the_release_before_serves_while_the_next_takes_over(cli: Cli, next: Up, tmp_path: Path) -> None:
    before = release_before(tmp_path / "before").up(tmp_path / "before.log", cli.env)
    with before.start() as here:
        a_little_of_everything(here)
        take_over(cli, here, next)
    assert "internal" not in before.said
    assert before.stop() == 0
    assert next.stop() == 0


def test_a_release_is_started_again_beside_the_next_and_leaves_it_what_that_has_filled(
    cli: Cli, next: Up, tmp_path: Path
) -> None:
    this = Up(log=tmp_path / "this.log", env=cli.env)
    with this.start() as here:
        a_little_of_everything(here)
        take_over(cli, here, next)
    assert this.stop() == 0
    generations = cli.sql(GENERATIONS.format(ledger=cli.ledger))
    with this.start() as here:
        serves(here)
    assert this.stop() == 0
    assert cli.sql(GENERATIONS.format(ledger=cli.ledger)) == generations
    assert next.stop() == 0


OTHER = Register("elsewhere", dimensions={"shelf": "text"}, resources=("quantity",))


def fill_otherwise(cli: Cli, version: int) -> None:
    """As a release does whose stock has nothing to do with this one's."""
    database, projection = Database(cli.dsn, cli.ledger), Projection("stock", version, (OTHER,))
    with Pool(database) as pool:
        read_models = PostgresReadModels(database)
        read_models.prepare([projection])
        projector = store_projector(pool, read_models, projection)
        eventually(lambda: not projector.turn() and not read_models.is_filling(projection))
        read_models.close()


def test_what_a_later_release_alone_can_answer_is_told(cli: Cli) -> None:
    with cli.served() as api:
        api.given(client())
        api.ask("/v1/stock/balances")
        fill_otherwise(cli, 999)
        facts = problem(api.get("/v1/stock/balances"), 503, "superseded")
        assert facts["projections"] == ["stock"]
        problem(api.get("/v1/stock/turnovers?from=2026-01-01&to=2026-01-31"), 503, "superseded")
        api.ask("/v1/clients")


def test_so_is_what_this_release_has_not_filled_yet(cli: Cli, tmp_path: Path) -> None:
    migrate(Database(cli.dsn, cli.ledger))
    fill_otherwise(cli, 0)
    serve = Up(log=tmp_path / "log", env=cli.env, how="serve")
    with serve.start() as api:
        facts = problem(api.http.get("/v1/stock/balances"), 503, "behind")
        assert facts["projections"] == ["stock"]
    assert serve.stop() == 0
