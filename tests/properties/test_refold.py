"""What was projected is what comes out of the events, to the letter, whatever happened and however it was projected."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg2.extras import execute_values

from consumers.ports import Delivered
from infra.postgres import refold as refold_module
from infra.postgres.checks import Checks
from infra.postgres.feed import READ
from infra.postgres.read_models import PostgresReadModels
from infra.postgres.refold import refold
from projections import PROJECTIONS
from tests.properties.books import Books, projector
from tests.properties.histories import Step, histories, placed

COLUMNS = ", ".join(Delivered._fields)


@contextmanager
def told(books: Books, events: Sequence[Delivered]) -> Iterator[None]:
    """These are read, in place of those in the book, of which none is ever taken back."""
    connection = books.database.connect(as_owner=True)
    with closing(connection), connection.cursor() as cursor, pytest.MonkeyPatch.context() as patched:
        cursor.execute(f"CREATE TABLE told AS SELECT {COLUMNS} FROM event; GRANT SELECT ON told TO PUBLIC")
        try:
            execute_values(cursor, f"INSERT INTO told ({COLUMNS}) VALUES %s", events)
            patched.setattr(refold_module, "READ", READ.replace("FROM event", "FROM told"))
            yield
        finally:
            cursor.execute("DROP TABLE told")


@given(
    steps=histories,
    window=st.integers(1, 9),
    sizes=st.lists(st.integers(0, 5), max_size=6),
    turns=st.lists(st.integers(0, 11), max_size=6),
    partitions=st.sampled_from([1, 2, 12]),
)
@settings(max_examples=25)
def test_nothing_is_found(
    books: Books, steps: list[Step], window: int, sizes: list[int], turns: list[int], partitions: int
) -> None:
    books.wipe(partitions)
    events = placed(steps)
    with (
        told(books, events),
        pytest.MonkeyPatch.context() as patched,
        closing(PostgresReadModels(books.database)) as read_models,
        closing(Checks(books.database)) as checks,
    ):
        patched.setattr(refold_module, "WINDOW", window)
        for projection in PROJECTIONS:
            projecting = projector(projection, events, read_models, partitions, sizes, turns)
            projecting.turn()  # some partitions are ahead
            assert [each.sentence for each in refold(checks, projection, 5).violations] == []
            projecting.catch_up(len(steps))
            report = refold(checks, projection, 5)
            assert report.position == len(steps)
            assert [each.sentence for each in report.violations] == []
