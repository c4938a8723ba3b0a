"""A book that is set back under a process that decides on it: a backup put back, a standby promoted that lacks the last
commits, a server that lied about its disk. Nothing is decided on what is gone."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from psycopg2.extensions import make_dsn

from api.service import Service, open_service
from commands.bus import Accepted, Outcome, Refused
from infra.embedded.server import EmbeddedServer
from infra.postgres.connection import Database
from infra.settings import Settings
from infra.telemetry import SET_BACK
from tests.integration.failing_over import Backup, Standby, own_server, standby
from tests.integration.writing import query, until
from tests.unit.words import receive, register_product, register_warehouse, ship

LEDGER = "t"


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with own_server() as server:
        yield server


@contextmanager
def serving(dsn: str) -> Iterator[Service]:
    with open_service(Settings(database_url=dsn, ledger=LEDGER, patience_s=60)) as service:
        yield service


@pytest.fixture
def service(server: EmbeddedServer) -> Iterator[Service]:
    """One lamp in a warehouse that forbids negative stock."""
    with serving(server.dsn) as service:
        given(service, register_product(), register_warehouse(), receive(1))
        yield service


def given(service: Service, *commands: object) -> None:
    for command in commands:
        [outcome] = service.bus.execute([command])  # type: ignore[list-item]
        assert isinstance(outcome, Accepted), outcome


def sell(service: Service, lamps: int) -> Outcome:
    [outcome] = service.bus.execute([ship(lamps)])
    return outcome


def available(outcome: Outcome) -> object:
    assert isinstance(outcome, Refused), outcome
    assert outcome.refusal.code == "insufficient_stock"
    return outcome.refusal.facts["available"]


def versions(dsn: str) -> list[int]:
    """Of the lamps in the warehouse."""
    sql = "SELECT version FROM event WHERE type LIKE 'stock.%%' ORDER BY position"
    return [version for (version,) in query(Database(dsn, LEDGER), sql)]


@pytest.fixture
def set_backs() -> Iterator[list[float]]:
    """How often it was noticed, at the end of the test."""
    before = SET_BACK._value.get()
    found: list[float] = []
    yield found
    assert SET_BACK._value.get() - before == found[0]


def test_a_backup_put_back_under_a_running_process(
    server: EmbeddedServer, service: Service, set_backs: list[float]
) -> None:
    backup = Backup(server)
    given(service, receive(249), receive(50), ship(50))
    backup.put_back()
    assert available(sell(service, 250)) == 1
    assert service.store.acknowledged == service.queries.log_size() == 3
    given(service, ship(1))
    assert versions(server.dsn) == [1, 2]
    set_backs.append(1)


def test_a_backup_put_back_that_others_have_gone_on_with(
    server: EmbeddedServer, service: Service, set_backs: list[float]
) -> None:
    """As far as it was, but not as it was: it is longer than what this process believes in."""
    backup = Backup(server)
    given(service, receive(249))
    backup.put_back()
    with serving(server.dsn) as other:
        given(other, receive(2), receive(2), ship(3))
    assert available(sell(service, 250)) == 2
    assert versions(server.dsn) == [1, 2, 3, 4]
    set_backs.append(1)


def test_a_book_that_is_dumped_and_restored_under_open_connections(
    server: EmbeddedServer, service: Service, set_backs: list[float]
) -> None:
    given(service, receive(249))
    superuser = Database(server.dsn, LEDGER)
    query(superuser, "ALTER TABLE event DISABLE TRIGGER ALL; ALTER TABLE command DISABLE TRIGGER ALL")
    query(superuser, "DELETE FROM event WHERE position > 3; DELETE FROM command WHERE first_position > 3")
    query(
        superuser,
        "UPDATE head SET (position, recorded_at) = (SELECT position, recorded_at FROM event WHERE position = 3)",
    )
    assert available(sell(service, 250)) == 1
    assert versions(server.dsn) == [1]
    set_backs.append(1)


def test_a_standby_that_lacks_the_last_commits_is_promoted(server: EmbeddedServer, set_backs: list[float]) -> None:
    with serving(server.dsn) as before:
        given(before, register_product(), register_warehouse(), receive(1))
    with standby(server) as copy, serving(_either(server, copy)) as service:
        copy.cut_off()
        given(service, receive(249))
        server.stop()
        copy.promote()
        assert available(sell(service, 250)) == 1
        given(service, ship(1))
        assert versions(copy.dsn) == [1, 2]
    set_backs.append(1)


def test_a_standby_that_lacks_nothing_is_promoted(server: EmbeddedServer, set_backs: list[float]) -> None:
    with serving(server.dsn) as before:
        given(before, register_product(), register_warehouse(), receive(1))
    with standby(server) as copy, serving(_either(server, copy)) as service:
        given(service, receive(249))
        until(lambda: versions(copy.dsn) == [1, 2])
        server.stop()
        copy.promote()
        given(service, ship(250))
        assert versions(copy.dsn) == [1, 2, 3]
    set_backs.append(0)


def test_what_is_acknowledged_survives_a_crash_however_the_server_is_set(
    server: EmbeddedServer, set_backs: list[float]
) -> None:
    """With ``synchronous_commit=off`` the last acknowledged events would be gone with the server's memory."""
    query(Database(server.dsn), "ALTER SYSTEM SET synchronous_commit = off")
    query(Database(server.dsn), "ALTER SYSTEM SET wal_writer_delay = '10s'")
    query(Database(server.dsn), "SELECT pg_reload_conf()")
    with serving(server.dsn) as service:
        given(service, register_product(), register_warehouse(), receive(1), receive(2))
        pid = server._pid()
        assert pid
        os.kill(pid, signal.SIGKILL)
        until(server.revive)
        assert available(sell(service, 250)) == 3
    set_backs.append(0)


def test_another_book_behind_the_same_name(server: EmbeddedServer, service: Service, set_backs: list[float]) -> None:
    query(Database(server.dsn, LEDGER), "UPDATE ledger SET identity = gen_random_uuid()")
    query(
        Database(server.dsn),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'grossbuch %%'",
    )
    given(service, ship(1))
    set_backs.append(1)


def _either(server: EmbeddedServer, copy: Standby) -> str:
    """The address of whichever takes writes."""
    return make_dsn(server.dsn, host=f"{server._run},{copy.host}", port="5432,5432")
