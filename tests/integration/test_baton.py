"""One has the baton; it is free again as soon as that one's connection is gone."""

import pytest

from commands.ports import Unavailable
from infra.postgres.baton import PostgresBaton
from infra.postgres.connection import Database
from tests.integration.writing import query, terminate, until


def holder(database: Database) -> int:
    [(pid,)] = query(
        database,
        "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND granted AND application_name = %s",
        f"grossbuch relay {database.schema}",
    )
    return int(pid)


def test_only_one_has_it(database: Database) -> None:
    first, second = PostgresBaton(database, "relay"), PostgresBaton(database, "relay")
    assert first.take()
    assert not second.take()
    assert (first.held(), second.held()) == (True, False)
    first.let_go()
    until(second.take)
    second.let_go()


def test_who_has_it_may_take_it_again_and_lets_it_go_at_once(database: Database) -> None:
    first, second = PostgresBaton(database, "relay"), PostgresBaton(database, "relay")
    assert first.take()
    assert first.take()
    first.let_go()
    until(second.take)
    second.let_go()


def test_it_is_lost_with_its_connection(database: Database) -> None:
    first, second = PostgresBaton(database, "relay"), PostgresBaton(database, "relay")
    assert first.take()
    terminate(database, holder(database))
    assert second.take()
    assert not first.held()
    assert not first.take()
    second.let_go()
    until(first.take)
    first.let_go()


def test_what_has_another_name_has_another(database: Database) -> None:
    batons = [PostgresBaton(database, name) for name in ("relay", "react")]
    assert all(baton.take() for baton in batons)
    for baton in batons:
        baton.let_go()


def test_nobody_can_say_who_has_it_while_the_server_is_away() -> None:
    with pytest.raises(Unavailable):
        PostgresBaton(Database("postgresql://127.0.0.1:1/none"), "relay").take()
