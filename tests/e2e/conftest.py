"""A caller with an empty book of its own, served over HTTP; and a directory of its own for embedded ledgers."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from api.service import open_service
from infra.settings import Settings
from infra.telemetry import configure_logs
from tests.e2e.api import Api
from tests.e2e.serving import in_thread

_numbers = count(1)


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> None:
    configure_logs("WARNING")


@pytest.fixture
def ledger_name() -> str:
    return f"e{os.getpid()}_{next(_numbers)}"


@pytest.fixture
def serve(dsn: str) -> Iterator[Callable[..., Api]]:
    """Serves an empty book with the settings given."""
    with ExitStack() as stack:

        def serve(**settings: object) -> Api:
            ledger = f"e{os.getpid()}_{next(_numbers)}"
            chosen = Settings(database_url=dsn, ledger=ledger).model_copy(update=settings)
            return stack.enter_context(in_thread(stack.enter_context(open_service(chosen))))

        yield serve


@pytest.fixture
def api(serve: Callable[..., Api]) -> Api:
    return serve()


@pytest.fixture
def directory() -> Iterator[Path]:
    """For an embedded ledger: its path must be short, for the socket in it, and open to the server's user."""
    made = Path(tempfile.mkdtemp(prefix="gb", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)
