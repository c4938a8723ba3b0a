"""A real Kafka broker for the tests that need one: one a run, a topic of its own for each test's ledger."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest

from infra.embedded.server import embedded
from infra.kafka.broker import Broker
from infra.kafka.certificate import secure
from infra.postgres.connection import Database
from infra.postgres.migrate import migrate

_numbers = count(1)


@contextmanager
def _directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="gbk", dir="/tmp"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """Shared by all tests: never hurt it."""
    with _directory() as directory, Broker(directory) as broker:
        yield broker


@pytest.fixture
def own_broker() -> Iterator[Callable[[], Broker]]:
    """Makes running brokers that a test may kill, pause and start again."""
    with ExitStack() as stack:

        def make() -> Broker:
            broker = Broker(stack.enter_context(_directory()))
            stack.callback(broker.kill)
            broker.start()
            return broker

        yield make


@pytest.fixture(scope="session")
def _frail_broker() -> Iterator[Broker]:
    with _directory() as directory, Broker(directory) as broker:
        yield broker


@pytest.fixture
def frail_broker(_frail_broker: Broker) -> Iterator[Broker]:
    """One that a test may pause, kill and start again, without the time that a broker of its own takes."""
    yield _frail_broker
    _frail_broker.resume()
    if not _frail_broker.is_alive:
        _frail_broker.start()


@pytest.fixture(scope="session")
def _frail_server() -> Iterator[str]:
    bin_dir = os.environ.get("GROSSBUCH_TEST_BIN_DIR")
    with _directory() as directory:
        directory.chmod(0o755)
        with embedded(directory, bin_dir=Path(bin_dir) if bin_dir else None) as dsn:
            yield dsn


@pytest.fixture
def frail_database(_frail_server: str) -> Database:
    """A new ledger on a server that a test may kill. It is started again by itself."""
    database = Database(_frail_server, f"f{os.getpid()}_{next(_numbers)}")
    migrate(database)
    return database


@pytest.fixture(scope="session")
def secured_broker() -> Iterator[Broker]:
    """With TLS, and SCRAM for the user ``alice``, whose password is ``secret-of-alice``."""
    with _directory() as directory:
        security = secure(directory, "alice", "secret-of-alice")
        with Broker(directory, security=security) as broker:
            yield broker


@pytest.fixture
def topic(database: Database) -> str:
    """Of the test's own ledger."""
    return f"{database.schema}.events"
