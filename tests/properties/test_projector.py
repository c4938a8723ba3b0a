"""Whatever happens on the way, each event is in the read models once, and every table adds up."""

from contextlib import suppress
from itertools import accumulate

import psycopg2
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.projector import Projector
from infra.postgres.read_models import PostgresReadModels
from projections import PROJECTIONS
from projections.projection import Projection
from tests.properties.books import Books, ListFeed
from tests.properties.faults import Crash, FaultyDatabase, Fuse, How
from tests.properties.histories import Step, histories, interleaved, placed
from tests.properties.tables import check, without_positions

cuts = st.lists(st.integers(0, 5), max_size=6).map(lambda sizes: list(accumulate(sizes)))
"""Where batches end."""


@given(steps=histories, cuts=cuts, again=st.integers(0, 30))
def test_batches_and_redeliveries_change_nothing(books: Books, steps: list[Step], cuts: list[int], again: int) -> None:
    books.wipe()
    read_models = PostgresReadModels(books.database)
    for projection in PROJECTIONS:
        projector = Projector(projection, ListFeed(placed(steps), iter(cuts), again), read_models)
        for _ in cuts:
            projector.turn()
        projector.catch_up()
    read_models.close()
    check(books, steps)


@given(
    steps=histories,
    cuts=cuts,
    projection=st.sampled_from(PROJECTIONS),
    at=st.integers(1, 25),
    how=st.sampled_from(["raises", "closes", "killed"]),
    anew=st.booleans(),
)
@settings(max_examples=150)
def test_a_crash_at_any_statement_changes_nothing(
    books: Books, steps: list[Step], cuts: list[int], projection: Projection, at: int, how: How, anew: bool
) -> None:
    books.wipe()
    read_models = PostgresReadModels(FaultyDatabase(books.database, Fuse(at, how, books.database)))  # type: ignore[arg-type]
    projector = Projector(projection, ListFeed(placed(steps), iter(cuts)), read_models)
    with suppress(Crash, psycopg2.OperationalError, psycopg2.InterfaceError):
        for _ in cuts:
            projector.turn()
        projector.catch_up()
    if anew:
        read_models.close()
        read_models = PostgresReadModels(books.database)
        projector = Projector(projection, projector.feed, read_models)
    projector.feed = ListFeed(placed(steps))
    projector.catch_up()
    read_models.close()
    check(books, steps, projection)


@given(steps=histories, turns=st.lists(st.integers(0, 2), max_size=12), cuts=cuts)
@settings(max_examples=15)
def test_rivals_that_overtake_each_other_change_nothing(
    books: Books, steps: list[Step], turns: list[int], cuts: list[int]
) -> None:
    """Three processes on one projection, each believing what it last knew."""
    books.wipe()
    for projection in PROJECTIONS:
        feed = ListFeed(placed(steps), iter(cuts))
        rivals = [Projector(projection, feed, PostgresReadModels(books.database)) for _ in range(3)]
        for turn in turns:
            rivals[turn].turn()
        feed.ends = iter(())
        rivals[0].catch_up()
        rivals[1].turn()
        for rival in rivals:
            rival.read_models.close()  # type: ignore[attr-defined]
    check(books, steps)


@given(steps=histories, data=st.data())
@settings(max_examples=25)
def test_any_interleaving_of_order_keys_gives_the_same(books: Books, steps: list[Step], data: st.DataObject) -> None:
    books.wipe()
    books.project(placed(steps))
    before = without_positions(books)
    books.wipe()
    books.project(placed(data.draw(interleaved(steps))))
    assert without_positions(books) == before


@given(steps=histories)
@settings(max_examples=5)
def test_a_rebuild_gives_the_same(books: Books, steps: list[Step]) -> None:
    books.wipe()
    books.project(placed(steps))
    read_models = PostgresReadModels(books.database)
    for projection in PROJECTIONS:
        Projector(projection, ListFeed(placed(steps)), read_models).rebuild()
    read_models.close()
    check(books, steps)
