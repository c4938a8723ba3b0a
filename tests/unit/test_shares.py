"""Who fills what in a rebuild."""

from contextlib import nullcontext

from hypothesis import given
from hypothesis import strategies as st

from consumers.rebuild import DONE, FREE, Shares

PARTITIONS = 12


def shares(projections: int) -> tuple[Shares, list[int]]:
    owners = [FREE] * projections * PARTITIONS
    return Shares(PARTITIONS, owners, nullcontext()), owners


def test_each_worker_takes_a_whole_projection_as_long_as_there_is_one() -> None:
    dealt, _ = shares(projections=3)
    assert [dealt.take(worker) for worker in (1, 2, 1)] == [0, 1, 2]
    assert dealt.of(1, worker=2) == frozenset(range(PARTITIONS))


def test_who_finds_none_left_takes_half_of_what_another_has() -> None:
    dealt, _ = shares(projections=1)
    assert [dealt.take(worker=1), dealt.take(worker=2)] == [0, 0]
    assert (dealt.of(0, worker=1), dealt.of(0, worker=2)) == (frozenset(range(6)), frozenset(range(6, 12)))


def test_the_half_is_of_who_has_most() -> None:
    dealt, _ = shares(projections=2)
    for worker in (1, 2, 3):  # the third halves the first's
        dealt.take(worker)
    assert dealt.take(worker=4) == 1
    assert len(dealt.of(1, worker=4)) == 6


def test_what_is_done_is_not_taken_again_and_a_last_partition_is_not_halved() -> None:
    dealt, owners = shares(projections=1)
    dealt.take(worker=1)
    owners[1:] = [DONE] * (PARTITIONS - 1)
    assert dealt.take(worker=2) is None
    dealt.done(0, worker=1)
    assert dealt.take(worker=1) is None


@given(projections=st.integers(1, 4), turns=st.lists(st.integers(1, 5)))
def test_whoever_comes_when_all_is_done_in_the_end_and_by_one_worker_each(projections: int, turns: list[int]) -> None:
    dealt, owners = shares(projections)
    at_work: dict[int, int | None] = {}
    for worker in [*turns, *range(1, 6), *range(1, 6)]:
        if (projection := at_work.pop(worker, None)) is not None:
            dealt.done(projection, worker)
        at_work[worker] = dealt.take(worker)
        assert FREE not in owners or at_work[worker] is not None
    for worker, projection in at_work.items():
        if projection is not None:
            dealt.done(projection, worker)
    while (projection := dealt.take(worker=1)) is not None:
        dealt.done(projection, worker=1)
    assert set(owners) == {DONE}
