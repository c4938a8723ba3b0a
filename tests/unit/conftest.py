"""Every test begins with an empty book in memory."""

import pytest

from tests.unit import given


@pytest.fixture(autouse=True)
def _an_empty_book() -> None:
    given.begin()
