"""A made-up read model that is filled, and read."""

from collections.abc import Iterator

import pytest

from infra.postgres.connection import Database, Pool
from infra.postgres.read_models import PostgresReadModels
from projections.projection import Projection
from tests.integration.generating import TOLD
from tests.integration.projecting import assign, projector, squeamish


@pytest.fixture
def read_models(database: Database) -> Iterator[PostgresReadModels]:
    read_models = PostgresReadModels(database)
    yield read_models
    read_models.close()


@pytest.fixture
def given(database: Database, pool: Pool, read_models: PostgresReadModels) -> Projection:
    projection, _ = squeamish()
    read_models.prepare([projection])
    projector(pool, read_models, projection).catch_up(assign(database, TOLD))
    return projection
