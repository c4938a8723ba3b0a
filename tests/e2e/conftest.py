"""A caller with an empty book of its own, served over HTTP; and a directory of its own for embedded ledgers."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from itertools import count

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from api.http.limits import Limits
from api.service import open_service
from infra.settings import Settings
from infra.telemetry import configure_logs
from tests.e2e.api import Api
from tests.e2e.cli import Cli
from tests.e2e.serving import in_thread

_numbers = count(1)


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> None:
    configure_logs("WARNING")


@contextmanager
def served(dsn: str, limits: Limits | None = None, **settings: object) -> Iterator[Api]:
    """An empty book with the settings given."""
    chosen = Settings(database_url=dsn, ledger=f"e{os.getpid()}_{next(_numbers)}").model_copy(update=settings)
    with open_service(chosen) as service, in_thread(service, limits) as api:
        yield api


@contextmanager
def copied(dsn: str) -> Iterator[Api]:
    """An empty book in a database of its own, which is copied: to make one takes longer."""
    name = f"copy{next(_numbers)}"
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {_template(dsn)}")
        with served(make_dsn(dsn, dbname=name), ledger="copied") as api:
            yield api
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _template(dsn: str) -> str:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("CREATE DATABASE template")
    with open_service(Settings(database_url=make_dsn(dsn, dbname="template"), ledger="copied")):
        return "template"


@pytest.fixture
def serve(dsn: str) -> Iterator[Callable[..., Api]]:
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(served(dsn, **settings))


@pytest.fixture
def api(dsn: str) -> Iterator[Api]:
    with copied(dsn) as api:
        yield api


@pytest.fixture(scope="module")
def shared(dsn: str) -> Iterator[Api]:
    """One book for all tests of a module that add nothing to it, or only what no other test looks at."""
    with copied(dsn) as api:
        yield api


@pytest.fixture(scope="session")
def make_cli(dsn: str) -> Callable[[], Cli]:
    """The command line on an empty ledger of its own."""
    return lambda: Cli(dsn, f"e{os.getpid()}_{next(_numbers)}")


@pytest.fixture
def cli(make_cli: Callable[[], Cli]) -> Cli:
    return make_cli()
