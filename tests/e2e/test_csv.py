"""Lists as CSV: the same rows, safe to open in a spreadsheet."""

import pytest

from tests.e2e.api import Api, table
from tests.e2e.given import client, payment, product, shipped, warehouse


def shown(api: Api, name: str) -> str:
    """How a client's name comes in CSV."""
    [answer] = api.given({"type": "client.register", "name": name})
    id = answer["events"][0]["stream"].removeprefix("client-")
    [row] = table(api.get(f"/v1/clients?search={id}&format=csv"))
    return row["name"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "-2+3", "- item"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(shared: Api, name: str) -> None:
    assert shown(shared, name) == f"'{name}"


@pytest.mark.parametrize("name", ['a "quoted" one', "a, b", "a;b", "'='", "1-1", "Ünïcödé"])
def test_other_text_is_as_it_was_given(shared: Api, name: str) -> None:
    assert shown(shared, name) == name


def test_negative_numbers_stay_numbers(api: Api) -> None:
    api.given(client(), payment("Z1", "50.00"), product(), warehouse(negative_stock="allow"))
    api.given(shipped("3", on="2026-05-02"))
    [owed] = table(api.get("/v1/receivables/ageing?format=csv"))
    assert (owed["unapplied"], owed["balance"], owed["current"]) == ("-50.00", "-50.00", "0")
    [moved] = table(api.get("/v1/stock/movements?format=csv"))
    assert moved["quantity"] == "-3"


def test_truth_is_written_as_in_json(api: Api) -> None:
    api.given(product())
    [row] = table(api.get("/v1/products?format=csv"))
    assert (row["expires"], row["scale"], row["attributes"]) == ("false", "0", "{}")


def test_times_carry_their_offset(api: Api) -> None:
    api.given(client(effective_at="2026-05-01T14:00:00+02:00"))
    answer = api.get("/v1/clients/C1/timeline?format=csv")
    assert table(answer)[0]["effective_at"] == "2026-05-01T12:00:00+00:00"
    assert "T" in answer.headers["grossbuch-as-of"]
