"""Who reads waits for a database that is away or hangs as long as the patience lasts, and is then told; who finds that
his connection was cut while it rested does not notice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import pytest

from commands.ports import Unavailable
from infra.embedded.server import EmbeddedServer
from infra.postgres import connection as connection_module
from infra.postgres.connection import LOST, Database, Pool
from infra.postgres.migrate import Ledger, migrate
from infra.postgres.queries import Queries
from tests.integration.hurting import hanging, own_server
from tests.integration.writing import query, until

LONG = 60.0
SHORT = 1.0
ONE = "SELECT 1"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with own_server() as server:
        yield server


@pytest.fixture(scope="module")
def its_database(server: EmbeddedServer) -> Database:
    database = Database(server.dsn, "t")
    migrate(database)
    return database


def data(server: EmbeddedServer) -> Path:
    return Path(server.dsn.split("host=")[1].split()[0]).parent / "data"


def cut(database: Database, name: str = "grossbuch read") -> None:
    """As pgbouncer, a firewall or an administrator does with idle ones."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
    query(database, ended, name)
    until(lambda: not query(database, "SELECT 1 FROM pg_stat_activity WHERE application_name = %s", name))


def opened(pool: Pool, connections: int) -> None:
    """That many at once, which then rest."""
    with ThreadPoolExecutor(connections) as threads:
        for done in [threads.submit(pool.read, "SELECT pg_sleep(0.2)") for _ in range(connections)]:
            done.result(LONG)


class TestCutWhileItRested:
    def test_whoever_asks_next_does_not_notice(self, its_database: Database) -> None:
        with Pool(its_database) as pool:
            queries = Queries(pool)
            for ask in (queries.lags, queries.log_size, lambda: Ledger.read(pool), lambda: _in_a_moment(queries)):
                opened(pool, 3)
                cut(its_database)
                ask()

    def test_a_cut_that_nobody_was_told_of_is_found_by_asking(
        self, its_database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection_module, "RESTED", 0.0)
        monkeypatch.setattr(connection_module, "has_ended", lambda connection: bool(connection.closed))
        with Pool(its_database) as pool:
            opened(pool, 3)
            cut(its_database)
            with pool.connection() as connection, connection.cursor() as cursor:
                cursor.execute(ONE)


def _in_a_moment(queries: Queries) -> None:
    with queries.moment() as answering:
        answering.log_size()


class TestAway:
    def test_all_wait_until_it_is_back(self, server: EmbeddedServer, its_database: Database) -> None:
        with Pool(its_database, patience=LONG) as pool, ThreadPoolExecutor(100) as threads:
            opened(pool, 8)
            enough = Event()
            readers = [threads.submit(_reading, pool, enough) for _ in range(100)]
            server.stop()
            sleep(2)
            server.start()
            pool.read(ONE)
            enough.set()
            assert sum(reader.result(LONG) for reader in readers) >= 100

    def test_after_the_patience_it_is_told_and_the_next_ones_at_once(
        self, server: EmbeddedServer, its_database: Database
    ) -> None:
        with Pool(its_database, size=2, patience=SHORT) as pool, ThreadPoolExecutor(50) as threads:
            pool.read(ONE)
            server.stop()
            started = monotonic()
            for reader in [threads.submit(pool.read, ONE) for _ in range(50)]:
                assert isinstance(reader.exception(LONG), (Unavailable, *LOST))
            assert monotonic() - started >= SHORT
            server.start()
            until(lambda: _can_read(pool))


class TestHangs:
    def test_who_waits_is_told_and_his_thread_and_place_are_free_again(
        self, server: EmbeddedServer, its_database: Database
    ) -> None:
        with Pool(its_database, size=2, patience=SHORT) as pool, ThreadPoolExecutor(20) as threads:
            opened(pool, 2)
            with hanging(data(server)):
                readers = [threads.submit(pool.read, ONE) for _ in range(20)]
                for reader in readers:
                    assert isinstance(reader.exception(LONG), (Unavailable, *LOST))
            until(lambda: _can_read(pool))
            opened(pool, 2)

    def test_who_has_patience_is_answered_when_it_goes_on(self, server: EmbeddedServer, its_database: Database) -> None:
        with Pool(its_database, size=2, patience=LONG) as pool, ThreadPoolExecutor(20) as threads:
            opened(pool, 2)
            with hanging(data(server)):
                readers = [threads.submit(pool.read, ONE) for _ in range(20)]
                sleep(2)
                assert not any(reader.done() for reader in readers)
            assert [reader.result(LONG) for reader in readers] == [[(1,)]] * 20

    def test_a_long_answer_is_not_taken_for_it(self, its_database: Database) -> None:
        with Pool(its_database, patience=0.2) as pool:
            assert pool.read("SELECT 1 FROM pg_sleep(3)") == [(1,)]

    def test_one_statement_too_long_ends_at_the_deadline(self, its_database: Database) -> None:
        with Pool(its_database, deadline=0.2) as pool:
            with pytest.raises(connection_module.QueryCanceled):
                pool.read("SELECT pg_sleep(60)")
            assert pool.read(ONE) == [(1,)]


def test_nobody_waits_for_ever_for_a_free_connection(database: Database) -> None:
    with Pool(database, size=1, patience=SHORT) as pool, pool.connection(), pytest.raises(Unavailable, match="in use"):
        pool.read(ONE)


def _reading(pool: Pool, enough: Event) -> int:
    answers = 0
    while not enough.wait(0.1):
        assert pool.read(ONE) == [(1,)]
        answers += 1
    return answers


def _can_read(pool: Pool) -> bool:
    try:
        return pool.read(ONE) == [(1,)]
    except (Unavailable, *LOST):
        return False
