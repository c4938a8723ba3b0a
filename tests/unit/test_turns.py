"""Who came too late once waits for the others of this process, and nobody waits for ever."""

import asyncio

from commands.bus import Accepted
from commands.turns import Turns
from tests.unit.memory_ledger import Log
from tests.unit.test_bus_conflicts import Process
from tests.unit.words import receive, register_product, register_warehouse


def test_turns_are_given_one_at_a_time_in_order_of_asking() -> None:
    turns, order = Turns(), list[str]()
    for name in "abc":
        turns.take("stock-W/P", lambda name=name: order.append(name))  # type: ignore[misc]
    assert order == ["a"]
    turns.release("stock-W/P")
    turns.release("stock-W/P")
    assert order == ["a", "b", "c"]


def test_turns_at_other_streams_are_free() -> None:
    turns, order = Turns(), list[str]()
    turns.take("stock-W/P", lambda: order.append("one"))
    turns.take("stock-W/Q", lambda: order.append("other"))
    assert order == ["one", "other"]


def test_after_a_conflict_the_turn_is_given_back() -> None:
    ours, theirs = Process(log := Log(), "ours"), Process(log, "theirs")
    ours.run(register_product(), register_warehouse(), receive(1))
    ours.meanwhile(lambda: theirs.run(receive(2)))
    for _ in range(2):
        [outcome] = ours.run(receive(3))
        assert isinstance(outcome, Accepted)
    assert ours.bus.turns._waiting == {}


def test_a_caller_who_goes_away_while_waiting_keeps_nobody_else_waiting() -> None:
    async def scenario() -> list[str]:
        ours, theirs, order = Process(log := Log(), "ours"), Process(log, "theirs"), list[str]()
        ours.run(register_product(), register_warehouse(), receive(1))
        ours.bus.turns.take("stock-north/lamp", lambda: order.append("first"))
        ours.meanwhile(lambda: theirs.run(receive(2)))
        gone = asyncio.create_task(ours.bus.execute_async([receive(3)]))
        await asyncio.sleep(0.05)
        ours.bus.turns.take("stock-north/lamp", lambda: order.append("third"))
        assert len(ours.bus.turns._waiting["stock-north/lamp"]) == 2
        gone.cancel()
        await asyncio.wait([gone])
        ours.bus.turns.release("stock-north/lamp")
        await asyncio.sleep(0.05)
        return order

    assert asyncio.run(scenario()) == ["first", "third"]
