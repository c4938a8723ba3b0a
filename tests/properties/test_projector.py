"""Whatever happens on the way, each event is in the read models once, and every table adds up."""

from contextlib import suppress

import psycopg2
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.projector import Projector
from consumers.spread import spread
from infra.postgres.read_models import PostgresReadModels
from projections import PROJECTIONS
from projections.projection import Projection
from tests.properties.books import Books, ListFeed, projector
from tests.properties.faults import Crash, FaultyDatabase, Fuse, How
from tests.properties.histories import Step, histories, interleaved, placed
from tests.properties.tables import check, without_positions

sizes = st.lists(st.integers(0, 5), max_size=6)
"""Positions that a batch covers."""

turns = st.lists(st.integers(0, 11), max_size=6)
"""Which partition brings something next."""

partitions = st.sampled_from([1, 2, 12])


def catch_up(projector: Projector, steps: list[Step]) -> None:
    projector.catch_up(len(steps))


@given(steps=histories, sizes=sizes, turns=turns, partitions=partitions)
def test_batches_and_partitions_change_nothing(
    books: Books, steps: list[Step], sizes: list[int], turns: list[int], partitions: int
) -> None:
    books.wipe(partitions)
    read_models = PostgresReadModels(books.database)
    for projection in PROJECTIONS:
        catch_up(projector(projection, placed(steps), read_models, partitions, sizes, turns), steps)
    read_models.close()
    check(books, steps)


@given(
    steps=histories,
    sizes=sizes,
    partitions=partitions,
    projection=st.sampled_from(PROJECTIONS),
    at=st.integers(1, 25),
    how=st.sampled_from(["raises", "closes", "killed"]),
    anew=st.booleans(),
)
@settings(max_examples=150)
def test_a_crash_at_any_statement_changes_nothing(
    books: Books,
    steps: list[Step],
    sizes: list[int],
    partitions: int,
    projection: Projection,
    at: int,
    how: How,
    anew: bool,
) -> None:
    books.wipe(partitions)
    fuse = Fuse(at, how, books.database)
    read_models = PostgresReadModels(FaultyDatabase(books.database, fuse))  # type: ignore[arg-type]
    projecting = projector(projection, placed(steps), read_models, partitions, sizes)
    for _ in range(2):  # what was killed at the very end is noticed with the next question
        with suppress(Crash, psycopg2.OperationalError, psycopg2.InterfaceError):
            catch_up(projecting, steps)
        fuse.blown = True
    if anew:
        read_models.close()
        read_models = PostgresReadModels(books.database)
        projecting = projector(projection, placed(steps), read_models, partitions)
    catch_up(projecting, steps)
    read_models.close()
    check(books, steps, projection)


@given(steps=histories, rivals=st.lists(st.integers(0, 2), max_size=12), sizes=sizes, partitions=partitions)
@settings(max_examples=15)
def test_rivals_that_overtake_each_other_change_nothing(
    books: Books, steps: list[Step], rivals: list[int], sizes: list[int], partitions: int
) -> None:
    """Three processes on one projection, each believing what it last knew."""
    books.wipe(partitions)
    for projection in PROJECTIONS:
        models = [PostgresReadModels(books.database) for _ in range(3)]
        projectors = [projector(projection, placed(steps), each, partitions, sizes) for each in models]
        for rival in rivals:
            projectors[rival].turn()
        catch_up(projectors[0], steps)
        projectors[1].turn()
        for each in models:
            each.close()
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


@given(steps=histories, sizes=sizes, turns=turns, was=partitions, becomes=partitions)
@settings(max_examples=15)
def test_another_number_of_partitions_changes_nothing(
    books: Books, steps: list[Step], sizes: list[int], turns: list[int], was: int, becomes: int
) -> None:
    books.wipe(was)
    read_models = PostgresReadModels(books.database)
    for projection in PROJECTIONS:
        partly = projector(projection, placed(steps), read_models, was, sizes, turns)
        for _ in sizes:
            partly.turn()

        def store(projection: Projection, partitions: int) -> ListFeed:
            return projector(projection, placed(steps), read_models, partitions).feed  # type: ignore[return-value]

        spread(projection, becomes, read_models, store)
        catch_up(projector(projection, placed(steps), read_models, becomes, sizes, turns), steps)
    read_models.close()
    check(books, steps)
