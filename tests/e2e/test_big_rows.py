"""Pages are bounded in bytes as well: one of big rows is shorter than asked for, and the next goes on."""

from collections.abc import Iterator

import pytest

from tests.e2e.api import Api, table
from tests.e2e.given import product

PRODUCTS = 100
BIG = {f"part{number}": "x" * 1000 for number in range(100)}
IDS = [f"P{number:02}" for number in range(PRODUCTS)]
PAGE = 4_300_000
"""Bytes of a page: four millions, one row more, and JSON's own."""


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    """Products of which each has a long description."""
    shared.given_all([product(id, attributes=BIG) for id in IDS])
    assert len(shared.rows("/v1/products?limit=1")) == 1  # they are there
    return shared


def pages(api: Api, path: str, cursor: str) -> Iterator[list[dict[str, object]]]:
    """Goes on from the one before by this parameter."""
    goes_on = ""
    while goes_on is not None:
        answer = api.http.get(f"{path}{goes_on and f'&{cursor}={goes_on}'}")
        assert len(answer.content) < PAGE
        yield answer.json()["items"]
        goes_on = answer.json()["next"]


@pytest.mark.parametrize("limit", [PRODUCTS, 1000, 1001, 100_000])
def test_pages_of_a_list(book: Api, limit: int) -> None:
    found = list(pages(book, f"/v1/products?limit={limit}", "cursor"))
    assert [row["product"] for page in found for row in page] == IDS
    assert len(found) == 3


def test_csv_is_not_cut(book: Api) -> None:
    assert [row["product"] for row in table(book.get("/v1/products?limit=100&format=csv"))] == IDS


@pytest.mark.parametrize("limit", [PRODUCTS, 10_000])
def test_pages_of_records(book: Api, limit: int) -> None:
    found = [record for page in pages(book, f"/v1/audit/events?limit={limit}", "after") for record in page]
    assert [record["position"] for record in found] == list(range(1, PRODUCTS + 1))
