"""Analysts who take all that is theirs take nothing of what commands need; and an answer may not take for ever."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psycopg2
import pytest

from api import readers
from tests.e2e.api import Api, problem
from tests.e2e.given import client, product, received, shipped, warehouse
from tests.e2e.load import eventually

ANALYSTS = 40
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'grossbuch read' AND wait_event_type = 'Lock'"


LEDGER = f"busy{os.getpid()}"


@contextmanager
def stuck(dsn: str) -> Iterator[psycopg2.extensions.cursor]:
    """No question about clients has an answer meanwhile."""
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {LEDGER}_read.client")
        yield cursor
    connection.close()


def test_commands_are_taken_while_forty_analysts_get_no_answer(serve: Callable[..., Api], dsn: str) -> None:
    api = serve(ledger=LEDGER, patience_s=120.0, query_s=120.0)
    api.given(product(), warehouse(), received("10", on="2026-05-01"))
    with ThreadPoolExecutor(ANALYSTS) as threads:
        with stuck(dsn) as cursor:
            asking = [threads.submit(api.http.get, "/v1/clients") for _ in range(ANALYSTS)]
            eventually(lambda: _all_connections_wait(cursor))
            known = client("C1", command_id="k")
            api.given(known, known, shipped("3", on="2026-05-02"))
            assert api.http.get("/v1/projections").status_code == 200
            assert not any(each.done() for each in asking)
        assert {each.result(60).status_code for each in asking} == {200}


def _all_connections_wait(cursor: psycopg2.extensions.cursor) -> bool:
    cursor.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees what it saw first
    cursor.execute(WAITING)
    return cursor.fetchone() == (8,)


def test_who_gets_no_turn_within_the_patience_may_come_again(serve: Callable[..., Api], dsn: str) -> None:
    api = serve(ledger=LEDGER, patience_s=0.5, query_connections=1)
    with ThreadPoolExecutor(3) as threads:
        with stuck(dsn):
            asking = [threads.submit(api.http.get, "/v1/clients") for _ in range(3)]
            eventually(lambda: sum(each.done() for each in asking) == 2)
            for each in asking:
                _check_busy(each)
        assert sorted(each.result(60).status_code for each in asking) == [200, 503, 503]


def _check_busy(asking: "Future[httpx.Response]") -> None:
    if asking.done():
        assert problem(asking.result(), 503, "busy")
        assert asking.result().headers["retry-after"]


def test_more_than_may_wait_are_turned_away_at_once(
    serve: Callable[..., Api], dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = serve(ledger=LEDGER, patience_s=120.0, query_s=120.0)
    monkeypatch.setattr(readers, "MOST_WAITING", 10)
    with ThreadPoolExecutor(ANALYSTS) as threads:
        with stuck(dsn):
            asking = [threads.submit(api.http.get, "/v1/clients") for _ in range(ANALYSTS)]
            eventually(lambda: sum(each.done() for each in asking) == ANALYSTS - 10)
        assert [each.result(60).status_code for each in asking].count(503) == ANALYSTS - 10


def test_an_answer_that_takes_too_long_is_given_up(serve: Callable[..., Api], dsn: str) -> None:
    api = serve(ledger=LEDGER, query_s=0.3)
    api.given(client("K"))
    with stuck(dsn):
        for path in ("/v1/clients", "/v1/clients?format=csv", "/v1/clients?limit=5000", "/v1/clients/K"):
            problem(api.http.get(path), 422, "too_slow")
    assert api.http.get("/v1/clients").status_code == 200
