"""Lists go on by a cursor: every row once, none twice, whatever is added meanwhile."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.e2e.api import Api, table
from tests.e2e.given import client, invoice, product, received, warehouse

LISTS = [
    "/v1/clients?",
    "/v1/products?search=p&",
    "/v1/receivables/ageing?",
    "/v1/receivables/open-items?",
    "/v1/stock/movements?",
    "/v1/stock/balances?",
    "/v1/stock/balances?group_by=lot&",
    "/v1/stock/turnovers?from=2026-05-01&to=2026-05-31&group_by=warehouse,product&",
]


def filled(api: Api) -> Api:
    clients = [client(f"C{number:02}") for number in range(23)]
    debts = [invoice(f"I-{each['client']}", "1.00", due="2026-06-10", client=each["client"]) for each in clients]
    goods = [product(f"P{number}") for number in range(7)]
    stock = [received("5", on="2026-05-02", product=each["product"], lot=lot) for each in goods for lot in ("a", None)]
    api.given_all([*clients, *debts, warehouse(), *goods, *stock])
    return api


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    return filled(shared)


def pages(api: Api, path: str, limit: int) -> Iterator[list[dict[str, object]]]:
    cursor = ""
    while cursor is not None:
        page = api.ask(f"{path}limit={limit}{cursor and '&cursor='}{cursor}")
        yield page["items"]
        cursor = page["next"]


@pytest.mark.parametrize("limit", [1, 5, 23, 24])
@pytest.mark.parametrize("path", LISTS)
def test_paging_visits_every_row_once(book: Api, path: str, limit: int) -> None:
    visited = list(pages(book, path, limit))
    assert [row for page in visited for row in page] == book.rows(path)
    assert all(len(page) == limit for page in visited[:-1])


def test_a_last_page_has_no_next(book: Api) -> None:
    assert book.ask("/v1/clients?limit=23")["next"] is None
    assert book.ask("/v1/clients?limit=22")["next"] is not None


def test_paging_misses_nothing_that_is_added_behind_it(api: Api) -> None:
    page = filled(api).ask("/v1/clients?limit=20")
    api.given(client("C05a"), client("C21a"))
    rest = api.rows(f"/v1/clients?limit=20&cursor={page['next']}")
    assert [row["client"] for row in rest] == ["C20", "C21", "C21a", "C22"]


def test_csv_goes_on_by_a_header(book: Api) -> None:
    first = book.get("/v1/clients?limit=20&format=csv")
    rest = book.get(f"/v1/clients?limit=20&format=csv&cursor={first.headers['grossbuch-next']}")
    assert [row["client"] for row in table(first) + table(rest)] == [f"C{n:02}" for n in range(23)]
    assert "grossbuch-next" not in rest.headers


def test_the_widest_ids_are_gone_on_from(api: Api) -> None:
    widest = "\U00010400" * 63
    goods = [product(f"{widest}{each}") for each in "ab"]
    stock = [
        received("1", on="2026-05-02", product=each["product"], warehouse=widest, lot=f"{widest}{lot}")
        for each in goods
        for lot in "ab"
    ]
    debts = [invoice(f"{widest}{each}", "1.00", due="2026-06-10", client=widest) for each in "ab"]
    api.given_all([client(widest), *debts, warehouse(widest), *goods, *stock])
    balances = "/v1/stock/balances?group_by=lot&"
    for path in (balances, "/v1/receivables/open-items?", "/v1/products?", "/v1/receivables/ageing?"):
        assert [row for page in pages(api, path, 1) for row in page] == api.rows(path)
    figure = quote(f"{balances}product={quote(widest)}a&warehouse={quote(widest)}&lot={quote(widest)}a")
    assert api.rows(f"/v1/audit/explain?figure={figure}&cell=on_hand&limit=1")
