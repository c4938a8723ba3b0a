"""No invariant is broken by any history, however it was projected."""

from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.postgres.checks import Checks
from infra.postgres.read_models import PostgresReadModels
from projections import PROJECTIONS
from tests.properties.books import Books, projector
from tests.properties.histories import MONTHS, PIPELINE, Step, histories, placed

NO_BOOK = "events"
"""These read models are filled from events at hand; which of them the book has is checked in integration."""


@given(
    steps=histories,
    sizes=st.lists(st.integers(0, 5), max_size=6),
    turns=st.lists(st.integers(0, 11), max_size=6),
    partitions=st.sampled_from([1, 2, 12]),
)
@settings(max_examples=25)
def test_nothing_is_found(books: Books, steps: list[Step], sizes: list[int], turns: list[int], partitions: int) -> None:
    steps = [Step("pipeline", PIPELINE, MONTHS[0]), *steps]
    books.wipe(partitions)
    with closing(PostgresReadModels(books.database)) as read_models, closing(Checks(books.database)) as checks:
        for projection in PROJECTIONS:
            projector(projection, placed(steps), read_models, partitions, sizes, turns).catch_up(len(steps))
            report = checks.run(projection, 5)
            assert report.position == len(steps)
            found = [each.sentence for each in report.violations if each.invariant != NO_BOOK]
            assert found == []
