"""What in the server may slow the ledger, or lose what is in it, is told before it does."""

import os
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2

from infra.embedded.server import embedded
from tests.e2e.api import Api
from tests.e2e.given import client
from tests.e2e.load import eventually
from tests.e2e.serving import Up


def oldest_transaction(api: Api) -> float:
    found = re.search(r"^grossbuch_oldest_transaction_seconds (\S+)$", api.http.get("/metrics").text, re.MULTILINE)
    assert found
    return float(found[1])


def test_a_transaction_that_is_held_open_is_told_with_its_age(serve: Callable[..., Api], dsn: str) -> None:
    api = serve()
    with closing(psycopg2.connect(dsn)) as held, held.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT")
        eventually(lambda: oldest_transaction(api) > 3)
    api.given(client())
    eventually(lambda: oldest_transaction(api) < 3)


def test_a_server_that_may_lose_what_is_booked_is_told_of_at_start_and_in_the_metrics(
    directory: Path, tmp_path: Path
) -> None:
    bin_dir = os.environ.get("GROSSBUCH_TEST_BIN_DIR")
    with embedded(directory, bin_dir=Path(bin_dir) if bin_dir else None) as dsn:
        with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("ALTER SYSTEM SET full_page_writes = off")
            cursor.execute("ALTER SYSTEM SET fsync = off")
            cursor.execute("SELECT pg_reload_conf()")
            eventually(lambda: cursor.execute("SHOW fsync") or cursor.fetchone() == ("off",))
        up = Up(log=tmp_path / "log", env={"DATABASE_URL": dsn})
        with up.start() as api:
            assert "a crash of the server may lose what is booked" in up.said
            told = api.http.get("/metrics").text
        for name in ("fsync", "full_page_writes"):
            assert f'grossbuch_database_unsafe{{off="{name}"}} 1.0' in told
        assert up.stop() == 0
