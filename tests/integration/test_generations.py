"""A generation is filled beside the one that is read, is compared with it, and takes its place."""

from contextlib import closing

import pytest

from consumers.ports import Batch
from consumers.spread import spread
from infra.postgres.connection import Database, Pool
from infra.postgres.differences import differences
from infra.postgres.generations import Behind, Dropped, Generations
from infra.postgres.read_models import PostgresReadModels
from projections.projection import Projection
from tests.integration.generating import BALANCE, TOLD, counting, filled, times
from tests.integration.projecting import assign, projector, store_feed
from tests.integration.writing import as_superuser


@pytest.mark.usefixtures("given")
def test_it_is_filled_beside_and_then_read(database: Database, pool: Pool) -> None:
    before = pool.read(BALANCE, ())
    new = filled(database, pool, times(1, 2), len(TOLD))
    assert pool.read(BALANCE, ()) == before
    Generations(database).swap_soon(new)
    assert pool.read(BALANCE, ()) == [(deal, owner, 2 * each) for deal, owner, each in before]
    assert [(each.number, each.state) for each in Generations(database).list()] == [(1, "old"), (2, "current")]


def test_who_wrote_to_the_old_one_goes_on_with_the_new(
    database: Database, pool: Pool, read_models: PostgresReadModels, given: Projection
) -> None:
    versions = {"D1": 2, "D2": 1, "D3": 1}
    live = projector(pool, read_models, given)
    live.turn()
    new = filled(database, pool, given, len(TOLD))
    Generations(database).swap_soon(new)
    live.catch_up(assign(database, [("D1", "cid")], versions))
    assert ("D1", "cid", 1) in pool.read(BALANCE, ())
    assert len(pool.read("SELECT * FROM given_movement", ())) == len(TOLD) + 1


@pytest.mark.parametrize("partitions", [1, 12])
@pytest.mark.parametrize("upto", [0, 2, 3])
def test_one_that_is_behind_does_not_take_the_place(
    database: Database, pool: Pool, given: Projection, upto: int, partitions: int
) -> None:
    new = filled(database, pool, given, upto, partitions)
    with pytest.raises(Behind):
        Generations(database).swap(new)
    filled(database, pool, given, len(TOLD), partitions)
    Generations(database).swap(new)


def test_one_of_as_many_partitions_is_as_far_in_each(
    database: Database, pool: Pool, read_models: PostgresReadModels, given: Projection
) -> None:
    spread(given, 2, read_models, lambda of, number: store_feed(pool, read_models, of, number))
    new = filled(database, pool, given, len(TOLD), 2)
    assign(database, [("D4", "ann")])
    with closing(PostgresReadModels(database)) as live:
        live.write(given, 2, [Batch(1, len(TOLD), len(TOLD) + 1, [])], {}, frozenset())
    with pytest.raises(Behind):
        Generations(database).swap(new)


def test_differences_are_told_row_by_row_and_there_are_none_if_nothing_changed(
    database: Database, pool: Pool, given: Projection
) -> None:
    generations = Generations(database)
    same = filled(database, pool, given, len(TOLD))
    compared = differences(pool, generations, same, 10)
    assert (compared.position, compared.rows, compared.more) == (len(TOLD), [], False)
    generations.drop("given", same.number)
    other = filled(database, pool, times(1, 3), len(TOLD))
    found = differences(pool, generations, other, 3)
    assert [(each.only_in, each.position) for each in found.rows] == [("current", 1), ("filled", 1), ("current", 2)]
    assert "D1,ann,1" in found.rows[0].row
    assert "D1,ann,3" in found.rows[1].row
    assert found.more


def test_a_number_that_is_written_otherwise_differs(database: Database, pool: Pool, given: Projection) -> None:
    new = filled(database, pool, given, len(TOLD))
    with as_superuser(database) as connection, connection.cursor() as cursor:
        cursor.execute(f"UPDATE {database.read_schema}.given_movement SET times = 1.00 WHERE position = 2")
    found = differences(pool, Generations(database), new, 10)
    assert [(each.only_in, each.position, "1.00" in each.row) for each in found.rows] == [
        ("current", 2, True),
        ("filled", 2, False),
    ]


def test_the_first_differences_are_of_all_tables_and_one_may_be_new(
    database: Database, pool: Pool, read_models: PostgresReadModels
) -> None:
    before, after = (Projection("given", 1, (counting("a", factor), counting("c", factor))) for factor in (1, 2))
    more = Projection("given", 1, (after.shapes[0], counting("b", 1), after.shapes[1]))
    read_models.prepare([before])
    projector(pool, read_models, before).catch_up(assign(database, TOLD))
    found = differences(pool, Generations(database), filled(database, pool, more, len(TOLD)), 3)
    assert [(each.table, each.position) for each in found.rows] == [
        ("b_movement", 0),
        ("a_movement", 1),
        ("a_movement", 1),
    ]
    assert found.more


def test_what_was_broken_off_goes_on_where_it_was(database: Database, pool: Pool, given: Projection) -> None:
    generations = Generations(database)
    begun = filled(database, pool, given, 3, partitions=1)
    again = generations.begin(given, 5)
    assert again == begun
    assert pool.read("SELECT partitions, position FROM tracking WHERE consumer = %s", (again.consumer,)) == [(1, 3)]


def test_what_was_refused_is_kept_and_not_gone_on_with(database: Database, pool: Pool, given: Projection) -> None:
    """The code may have been mended meanwhile."""
    refused = filled(database, pool, times(1, 3), len(TOLD))
    Generations(database).refuse(refused)
    again = filled(database, pool, given, len(TOLD))
    assert again.number == refused.number + 1
    assert differences(pool, Generations(database), again, 10).rows == []
    assert [each.state for each in Generations(database).list()] == ["current", "refused", "filling"]
    with pytest.raises(Dropped):
        Generations(database).swap(refused)


@pytest.mark.usefixtures("given")
def test_a_current_generation_is_not_dropped(database: Database, pool: Pool) -> None:
    Generations(database).drop("given", 1)
    assert len(pool.read(BALANCE, ())) == len(TOLD)
