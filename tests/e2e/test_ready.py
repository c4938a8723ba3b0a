"""Ready means that a command would be taken: a write is tried, and what was lost is told first."""

from collections.abc import Callable

import pytest

from infra.postgres.connection import Database
from tests.e2e.api import Api, problem
from tests.e2e.given import client, product, received, warehouse
from tests.e2e.load import eventually
from tests.integration.writing import head_held, query

READY = "/v1/health/ready"


@pytest.fixture
def book(dsn: str, serve: Callable[..., Api]) -> tuple[Api, Database]:
    api = serve(ledger="ready", patience_s=60.0)
    return api, Database(dsn, "ready")


def test_a_book_that_takes_no_commands_is_not_ready(book: tuple[Api, Database]) -> None:
    """All that reads goes on."""
    api, database = book
    assert api.http.get(READY).status_code == 200
    with head_held(database):
        assert problem(api.http.get(READY), 503, "unavailable")
        assert api.http.get("/v1/projections").status_code == 200
    assert api.http.get(READY).status_code == 200


def test_a_book_that_was_set_back_says_so_and_goes_on_from_what_is_there(book: tuple[Api, Database]) -> None:
    api, database = book
    api.given(product(), warehouse(), received(1, on="2026-06-01"), received(249, on="2026-06-01"))
    kept = api.log_size() - 1
    off = "; ".join(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in ("event", "command"))
    query(
        database, f"{off}; DELETE FROM event WHERE position > {kept}; DELETE FROM command WHERE first_position > {kept}"
    )
    query(
        database,
        "UPDATE head SET (position, recorded_at) = (SELECT position, recorded_at FROM event ORDER BY 1 DESC LIMIT 1)",
    )
    query(database, f"UPDATE tracking SET position = {kept} WHERE position > {kept}")
    shipped = {"type": "stock.ship", "product": "P1", "warehouse": "W1", "quantity": "250"}
    assert problem(api.send(shipped), 422, "insufficient_stock")["available"] == "1"
    told: list[dict[str, str]] = []
    eventually(lambda: told.append(api.http.get(READY).json()) or told[-1].get("status") == "ready")  # type: ignore[func-returns-value]
    [said] = [each["detail"] for each in told if each.get("code") == "set_back"]
    assert f"ends at position {kept}, and ended at {kept + 1}" in said
    assert f"ends at position {kept}" in told[-1]["set_back"][0]
    assert api.given(client())[0]["position"] == kept + 1
