"""Hypothesis' profile, and real read models to project into."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, core, settings
from hypothesis.vendor.pretty import RepresentationPrinter

from infra.postgres.connection import Database, Pool
from tests.properties.books import Books

settings.register_profile(
    "grossbuch",
    deadline=None,
    max_examples=40,
    derandomize="CI" in os.environ,  # a gate gives the same answer twice; who works on it explores
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # fixtures are wiped by hand
)
settings.load_profile("grossbuch")


@pytest.fixture(autouse=True)
def _examples_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """schemathesis's plugin puts a printer there that prints nothing."""
    monkeypatch.setattr(core, "RepresentationPrinter", RepresentationPrinter)


@pytest.fixture
def books(database: Database, pool: Pool) -> Iterator[Books]:
    """Empty read models of a new ledger. A test that runs many examples wipes them itself."""
    books = Books(database, pool)
    yield books
    books.close()
