"""A real PostgreSQL for the tests that need one: the product's own embedded server, one a run; a fresh ledger a test.

``GROSSBUCH_TEST_BIN_DIR`` runs everything on other binaries, such as /usr/lib/postgresql/15/bin.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from infra.embedded.server import embedded
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import migrate
from tests.alarms import ROOT, played_by
from tests.on_call import OnCall

_numbers = count(1)

for name in [name for name in os.environ if name.startswith("KAFKA_")]:
    del os.environ[name]  # a broker that somebody tries things on is not for tests


@pytest.fixture(scope="session")
def dsn() -> Iterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="gb", dir="/tmp"))
    directory.chmod(0o755)
    bin_dir = os.environ.get("GROSSBUCH_TEST_BIN_DIR")
    try:
        with embedded(directory, bin_dir=Path(bin_dir) if bin_dir else None) as dsn:
            yield dsn
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def directory() -> Iterator[Path]:
    """For an embedded ledger: its path must be short, for the socket in it, and open to the server's user."""
    made = Path(tempfile.mkdtemp(prefix="gb", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def database(dsn: str) -> Database:
    """A new ledger, made and empty."""
    database = Database(dsn, f"t{os.getpid()}_{next(_numbers)}")
    migrate(database)
    return database


@pytest.fixture
def pool(database: Database) -> Iterator[Pool]:
    with Pool(database) as pool:
        yield pool


@pytest.fixture
def on_call(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OnCall]:
    """Types all that the page says in the entry that this test plays."""
    file = request.path.relative_to(ROOT)
    on_call = OnCall(played_by(f"{file}::{request.node.name}"), tmp_path)
    yield on_call
    assert not on_call.untyped
