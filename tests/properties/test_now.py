"""Without as_of an answer is as of now: what is dated ahead does not count yet."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.areas import AREAS, SETUP, questions_on
from tests.properties.books import Books
from tests.properties.histories import Step, lawful, placed

SHIFT = timedelta(days=(datetime.now(UTC) - datetime(2026, 1, 10, tzinfo=UTC)).days)
"""By so much later all happens: about half of it has not happened yet."""


def later(step: Step) -> Step:
    return replace(step, effective_at=step.effective_at + SHIFT)


def shifted(given: dict[str, str]) -> dict[str, str]:
    """Its days, likewise."""
    days = {"from", "to", "opened_from", "opened_to", "closed_from", "closed_to"}
    return {name: str(date.fromisoformat(text) + SHIFT) if name in days else text for name, text in given.items()}


@pytest.mark.parametrize("area", AREAS)
@given(data=st.data())
@settings(max_examples=10)
def test_without_as_of_it_is_now(books: Books, area: str, data: st.DataObject) -> None:
    steps = [later(step) for step in [*SETUP, *lawful(data.draw(AREAS[area]))]]
    books.wipe()
    books.project(placed(steps))

    def answer(path: str, **given: object) -> Any:
        found = books.answer(path, **given)
        return found and (found.items, found.body)

    for path, given_ in questions_on(area):
        asked = shifted(given_)
        assert answer(path, **asked) == answer(path, **asked, as_of=datetime.now(UTC)), path
