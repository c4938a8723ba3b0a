"""The relay, on a book and a topic that are lists."""

from itertools import count

import pytest

from consumers import relay
from consumers.ports import Fenced, PublisherLost, Topic
from consumers.relay import LOOK, QUIET, Broken, Misplaced
from tests.unit.relaying import TOPIC, World, event, upto


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STAND_BY", "BACKOFF", "LONGEST_BACKOFF", "SHORTEST", "LONGEST", "LOOK_AGAIN"):
        monkeypatch.setattr(relay, name, 0.0)


@pytest.fixture
def world() -> World:
    return World()


def test_every_event_is_published_once_in_order_in_batches(world: World) -> None:
    world.book.grow(25)
    assert [world.relay.turn() for _ in range(4)] == [10, 10, 5, 0]
    assert world.published == upto(25)
    assert world.broker.batches == [10, 10, 5]
    assert world.watch.places[-1] == (25, 25)
    assert world.watch.events == 25


def test_what_comes_later_is_published_later(world: World) -> None:
    world.book.grow(3)
    world.relay.turn()
    world.book.grow(5)
    world.relay.turn()
    assert world.published == upto(5)


def test_it_goes_on_from_what_the_topic_has(world: World) -> None:
    world.book.grow(8)
    world.broker.events = world.book.events[:6]
    world.relay.turn()
    assert world.published == upto(8)


def test_a_book_that_gives_less_than_asked_is_read_on(world: World) -> None:
    world.book.grow(7)
    world.book.most = 2
    world.run_until(lambda: len(world.published) == 7)
    assert world.broker.batches == [2, 2, 2, 1]


@pytest.mark.parametrize("missing", [1, 4, 9])
def test_a_hole_in_the_book_is_never_passed_over(world: World, missing: int) -> None:
    world.book.grow(9)
    del world.book.events[missing - 1]
    world.book.events.append(event(10))
    world.run_until(lambda: bool(world.health.causes))
    assert f"no event at position {missing}" in world.health.causes[0]
    assert world.published == []
    assert world.broker.open == 0


def test_a_book_that_has_lost_its_last_events_is_told_of(world: World) -> None:
    world.book.grow(9)
    world.book.most = 0
    with pytest.raises(Broken, match="no event at position 1, and ends at 9"):
        world.relay.turn()


class TestATransactionOfUnknownOutcome:
    @pytest.mark.parametrize("committed", [True, False])
    def test_is_asked_of_the_topic(self, world: World, committed: bool) -> None:
        world.book.grow(25)
        world.relay.turn()
        world.broker.faults = [(PublisherLost("stalled"), committed)]
        world.run_until(lambda: len(world.published) >= 25)
        assert world.published == upto(25)
        assert world.watch.reasons == ["stalled"]
        assert len(world.broker.opened) == 2
        assert world.broker.open == 0

    def test_may_happen_again_and_again(self, world: World) -> None:
        world.book.grow(25)
        world.broker.faults = [(PublisherLost("failed"), False), (PublisherLost("stalled"), True)]
        world.run_until(lambda: len(world.published) >= 25)
        assert world.published == upto(25)
        assert world.watch.reasons == ["failed", "stalled"]

    def test_holds_no_more_than_a_batch_meanwhile(self, world: World) -> None:
        world.book.grow(1_000)
        asked: list[int] = []
        read = world.book.read
        world.book.read = lambda after, upto, at=None: asked.append(upto - after) or read(after, upto, at)
        world.broker.faults = [(PublisherLost("stalled"), False)] * 2
        world.run_until(lambda: len(world.published) == 1_000)
        assert max(asked) == 10


def test_a_broker_that_is_away_is_tried_until_it_is_back(world: World) -> None:
    world.book.grow(5)
    world.broker.faults = [(PublisherLost("unreachable"), False)] * 3
    world.run_until(lambda: world.published == upto(5))
    assert world.watch.reasons == ["unreachable"] * 3


def test_a_database_that_is_away_is_tried_until_it_is_back(world: World) -> None:
    world.book.grow(5)
    world.book.away = True

    def back() -> bool:
        world.book.away = len(world.watch.reasons) < 2
        return world.published == upto(5)

    world.run_until(back)
    assert world.watch.reasons == ["unavailable"] * 2


class TestFenced:
    def test_stands_by_until_the_baton_is_let_go(self, world: World) -> None:
        world.book.grow(25)
        world.relay.turn()

        def fenced() -> None:
            world.baton.ours = False

        def free() -> bool:
            world.baton.ours = world.watch.stood_by >= 2
            return len(world.published) == 25

        world.broker.before = fenced
        world.broker.faults = [(Fenced(), False)]
        world.run_until(free)
        assert world.published == upto(25)
        assert world.watch.reasons == ["fenced"]
        assert world.baton.let == 2  # when fenced, and at the end

    def test_without_the_baton_no_publisher_is_made(self, world: World) -> None:
        world.baton.ours = False
        world.run_until(lambda: world.watch.stood_by == 3)
        assert world.broker.opened == []


@pytest.mark.parametrize("busy", [True, False])
def test_a_baton_is_kept_by_asking_for_it_now_and_then(world: World, busy: bool) -> None:
    for n in range(1, 11):
        world.book.grow(n if busy else 0)
        world.now += 0.3 * LOOK
        world.relay.turn()
    assert world.baton.asked == 2


class TestATopic:
    def test_that_was_emptied_is_filled_from_the_first_event(self, world: World) -> None:
        world.book.grow(25)
        while world.relay.turn():
            pass
        world.broker.events.clear()
        world.broker.faults = [(PublisherLost("topic gone"), False)]
        world.book.grow(26)
        world.run_until(lambda: len(world.published) == 26)
        assert world.published == upto(26)

    def test_that_is_gone_while_nothing_happens_is_noticed(self, world: World) -> None:
        world.book.grow(5)
        world.relay.turn()
        world.broker.events.clear()
        world.now += LOOK
        world.run_until(lambda: world.published == upto(5))
        assert world.watch.reasons == ["topic gone"]

    def test_that_is_beyond_the_book_is_refused(self, world: World) -> None:
        world.book.grow(9)
        world.broker.events = world.book.events.copy()
        world.book.events = world.book.events[:5]
        world.run_until(lambda: bool(world.health.causes))
        assert "position 9, and the book ends at 5" in world.health.causes[0]
        assert world.published == upto(9)
        assert (world.broker.open, world.broker.fenced) == (0, 0)

    def test_of_a_book_that_was_set_back_and_went_on_is_refused(self, world: World) -> None:
        world.book.grow(5)
        world.broker.events = world.book.events.copy()
        world.book.events = [*world.book.events[:3], *(event(n, "2026-02-02 00:00:00+00") for n in range(4, 9))]
        world.run_until(lambda: bool(world.health.causes))
        assert "position 5 differs" in world.health.causes[0]
        assert world.published == upto(5)
        assert (world.broker.open, world.broker.fenced) == (0, 0)

    def test_of_a_book_that_is_set_back_meanwhile_is_refused(self, world: World) -> None:
        world.book.grow(5)
        world.relay.turn()
        del world.book.events[3:]
        with pytest.raises(Misplaced):
            world.relay.turn()

    def test_of_a_book_that_is_set_back_meanwhile_and_has_gone_on_is_refused(self, world: World) -> None:
        world.book.grow(5)
        world.relay.turn()
        world.book.events[3:] = [event(n, "2026-02-02 00:00:00+00") for n in range(4, 9)]
        with pytest.raises(Misplaced, match="position 5 differs"):
            world.relay.turn()
        assert world.published == upto(5)

    def test_of_a_book_that_is_set_back_meanwhile_to_just_as_many_events_is_refused(self, world: World) -> None:
        world.book.grow(5)
        world.relay.turn()
        world.book.events[4:] = [event(5, "2026-02-02 00:00:00+00")]
        world.now += LOOK
        with pytest.raises(Misplaced, match="position 5 differs"):
            world.relay.turn()

    def test_that_was_refused_is_told_of_once_and_filled_as_soon_as_it_is_right(self, world: World) -> None:
        world.book.grow(5)
        world.broker.events = [event(9)]
        looks = count()

        def righted() -> bool:
            if next(looks) == 5:
                world.broker.events.clear()
            return world.published == upto(5)

        world.run_until(righted)
        assert len(world.health.causes) == 2
        assert world.health.causes[-1] == "goes on"

    def test_that_was_refused_is_behind_by_as_much_as_the_book_is_longer(self, world: World) -> None:
        world.book.grow(5)
        world.relay.turn()
        world.relay._drop()
        world.broker.events[-1] = event(5, "2026-02-02 00:00:00+00")
        world.book.grow(8)
        world.run_until(lambda: bool(world.health.causes) and world.watch.places[-1] == (5, 8))

    def test_that_the_ledger_has_left_is_left(self, world: World) -> None:
        world.book.grow(5)
        world.relay.turn()
        world.topic = Topic("book.events.24", 24)
        world.now += LOOK
        world.relay.turn()
        world.relay.turn()
        assert world.broker.opened == [TOPIC, world.topic]
        assert world.broker.open == 1
        assert world.watch.reasons == []


class TestMarks:
    def test_are_written_once_a_while_after_the_last_event(self, world: World) -> None:
        world.book.grow(5)
        world.relay.turn()
        world.now += 0.01
        world.book.grow(6)
        world.relay.turn()
        assert world.broker.marks == 0
        world.now += QUIET
        world.relay.turn()
        assert world.broker.marks == 1
        world.now += QUIET
        world.relay.turn()
        assert world.broker.marks == 1

    def test_are_written_under_load(self, world: World) -> None:
        for n in range(1, 11):
            world.book.grow(n)
            world.now += 0.3 * LOOK
            world.relay.turn()
        assert world.broker.marks == 2

    def test_are_asked_for_when_nothing_happens_at_all(self, world: World) -> None:
        world.relay.turn()
        for _ in range(10):
            world.now += 0.3 * LOOK
            world.relay.turn()
        assert world.broker.marks == 2


def test_to_stop_finishes_the_batch_at_hand(world: World) -> None:
    world.book.grow(25)
    world.broker.before = world.relay.stop
    world.relay.run()
    assert world.published == upto(10)
    assert world.broker.open == 0
    assert world.baton.let == 1


def test_what_nobody_expected_is_told_and_it_begins_anew(world: World) -> None:
    world.book.grow(5)
    world.broker.faults = [(ZeroDivisionError("unheard of"), False)]
    world.run_until(lambda: world.published == upto(5))
    assert world.health.causes[0] == "unheard of"
    assert world.broker.open == 0
    assert world.baton.let == 1
