"""What the cases share: a database of its own for each test."""

from collections.abc import Iterator
from itertools import count
from unittest import TestCase
from uuid import uuid4

import psycopg2
import pytest
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment
from psycopg2.extensions import make_dsn

from infra.postgres.factory import Factory

MODULE = "infra.postgres.factory"

_numbers = count(1)


class WithDatabase(TestCase):
    """Dropped at the end with all the connections that applications have left open."""

    env: dict[str, str]

    @pytest.fixture(autouse=True)
    def _own_database(self, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        name = f"conformance_{next(_numbers)}"
        _execute(dsn, f"CREATE DATABASE {name}")
        self.env = type(self).env = {"PERSISTENCE_MODULE": MODULE, "DATABASE_URL": make_dsn(dsn, dbname=name)}
        for key, value in self.env.items():
            monkeypatch.setenv(key, value)
        yield
        _execute(dsn, f"DROP DATABASE {name} WITH (FORCE)")


class WithFactory(WithDatabase):
    def setUp(self) -> None:
        super().setUp()
        self.env = Environment("Conformance", self.env)
        self.factory = InfrastructureFactory.construct(self.env)
        assert isinstance(self.factory, Factory)

    def tearDown(self) -> None:
        self.factory.close()
        super().tearDown()

    def new_originator_id(self) -> str:
        return f"thing-{uuid4()}"


def _execute(dsn: str, statement: str) -> None:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
