"""A refusal fences the tries of a command that are under way elsewhere, and leaves its id free for later ones."""

from concurrent.futures import ThreadPoolExecutor

from commands.bus import Accepted, Refused
from infra.postgres.connection import Database
from tests.integration.test_ledger import Process, other, process, start
from tests.integration.writing import head_held, query, streams, until, waiting_backends
from tests.unit.words import receive, register_client, register_product, register_warehouse, ship

__all__ = ["other", "process", "start"]


def test_a_try_under_way_is_not_booked_once_another_was_refused(
    database: Database, process: Process, other: Process
) -> None:
    wanted = register_client("C1", command_id="k")
    with ThreadPoolExecutor(1) as threads, head_held(database):
        under_way = threads.submit(process.one, wanted)
        until(lambda: waiting_backends(database))
        assert other.ledger.refuse({"k": wanted.digest()}).known == {}
    outcome = under_way.result(60)
    assert isinstance(outcome, Refused)
    assert outcome.refusal.code == "conflict"
    assert streams(database) == []


def test_a_try_that_was_booked_is_not_refused_any_more(process: Process, other: Process) -> None:
    booked = process.one(register_client("C1", command_id="k"))
    assert isinstance(booked, Accepted)
    assert other.ledger.refuse({"k": "digest", "new": "digest"}).known.keys() == {"k"}


def test_a_refused_command_may_be_sent_again_when_it_has_become_possible(
    database: Database, process: Process, other: Process
) -> None:
    process.execute(register_product(), register_warehouse(), receive(1))
    for asked in (process, other, process):
        refused = asked.one(ship(5, command_id="k"))
        assert isinstance(refused, Refused)
        assert refused.refusal.code == "insufficient_stock"
    other.execute(receive(9))
    taken, repeated = other.one(ship(5, command_id="k")), process.one(ship(5, command_id="k"))
    assert isinstance(taken, Accepted)
    assert isinstance(repeated, Accepted)
    assert (taken.command_id, taken.replayed) == ("k", False)
    assert (repeated.position, repeated.events, repeated.replayed) == (taken.position, taken.events, True)
    assert query(database, "SELECT count(*), count(refused_at) FROM command WHERE command_id LIKE 'k%%'") == [(4, 3)]


def test_ids_that_begin_alike_are_not_taken_for_each_other(process: Process) -> None:
    process.execute(register_product(), register_warehouse())
    for id in ("k", "k1", "k 1", "k-1", "K"):
        assert isinstance(process.one(ship(5, command_id=id)), Refused)
    for id in ("k", "k1", "k 1", "k-1", "K"):
        accepted = process.one(register_client(f"C-{id}".replace(" ", "_"), command_id=id))
        assert isinstance(accepted, Accepted)
        assert not accepted.replayed
