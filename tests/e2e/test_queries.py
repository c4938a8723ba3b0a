"""What all queries have in common: paging, times, waiting, meta, CSV."""

from collections.abc import Callable

import httpx
import pytest

from projections import QUERIES
from tests.e2e.api import Api, problem, table
from tests.e2e.given import (
    client,
    deal,
    invoice,
    lost,
    moved,
    payment,
    pipeline,
    product,
    received,
    shipped,
    warehouse,
    won,
)

#: What a path or a query must be told.
TOLD = {
    "/v1/clients/classes": "?method=abc&measure=sales&from=2026-05-01&to=2026-05-31",
    "/v1/funnel/snapshot": "?pipeline=sales",
    "/v1/funnel/cohort": "?pipeline=sales&opened_from=2026-05-01&opened_to=2026-05-31",
    "/v1/funnel/win-rate": "?pipeline=sales&closed_from=2026-05-01&closed_to=2026-05-31",
    "/v1/funnel/losses": "?pipeline=sales&closed_from=2026-05-01&closed_to=2026-05-31",
    "/v1/funnel/transitions": "?pipeline=sales",
    "/v1/funnel/durations": "?pipeline=sales",
    "/v1/funnel/cycle": "?pipeline=sales&closed_from=2026-05-01&closed_to=2026-05-31",
    "/v1/funnel/attribution": "?pipeline=sales&closed_from=2026-05-01&closed_to=2026-05-31",
    "/v1/stock/turnovers": "?from=2026-05-01&to=2026-05-31",
    "/v1/receivables/statement": "?client=C1&from=2026-05-01&to=2026-05-31",
    "/v1/receivables/dso": "?client=C1&from=2026-05-01&to=2026-05-31",
    "/v1/receivables/exposure": "?client=C1",
    "/v1/payments/summary": "?from=2026-06-01&to=2026-06-30",
}
IDS = {"client": "C1", "deal": "X", "pipeline": "sales", "product": "P1", "warehouse": "W1"}
PATHS = [query.path.format(**IDS) + TOLD.get(query.path, "") for query in QUERIES]
LISTS = [path for path, query in zip(PATHS, QUERIES, strict=True) if not query.assemble]
LISTS_OF_SOMETHING = [
    path
    for path, query in zip(PATHS, QUERIES, strict=True)
    if any(f"{{{name}}}" in query.path or f"{name}=" in path for name in query.things)
]


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    """For tests that only read."""
    a_little_of_everything(shared)
    return shared


def a_little_of_everything(api: Api) -> None:
    api.given(client(), pipeline("sales", "strict", "A", "B"), deal("X", "sales", "100.00", on="2026-05-01"))
    api.given(moved("X", "B", on="2026-05-03"), {"type": "interaction.log", "client": "C1", "kind": "call"})
    api.given(deal("V", "sales", "100.00", on="2026-05-01", stage="B"), won("V", on="2026-05-04"))
    api.given(deal("W", "sales", "100.00", on="2026-05-01"), lost("W", "price", on="2026-05-04"))
    api.given(product(), warehouse(), received("10", on="2026-05-02"), shipped("4", on="2026-05-10"))
    api.given(invoice("I1", "300.00", due="2026-06-10", effective_at="2026-05-10T12:00:00Z"))
    api.given(payment("Z1", "100.00", allocate="oldest", effective_at="2026-06-12T12:00:00Z"))


@pytest.mark.parametrize("path", PATHS)
def test_every_query_answers_and_tells_what_it_was_computed_from(book: Api, path: str) -> None:
    answer = book.ask(path)
    assert answer.keys() - {"meta", "next"}
    assert path not in LISTS or answer["items"]
    meta = answer["meta"]
    assert meta["log_size"] == meta["known_at"] == book.written
    assert meta["version"] >= 1
    assert meta["projection"]
    assert meta["as_of"]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_comes_as_csv_with_the_same_rows(book: Api, path: str) -> None:
    rows = book.rows(path)
    joint = "&" if "?" in path else "?"
    by_format = book.get(f"{path}{joint}format=csv")
    by_accept = book.get(path, headers={"Accept": "text/csv"})
    assert table(by_format) == table(by_accept)
    assert len(table(by_format)) == len(rows)
    for cells, row in zip(table(by_format), rows, strict=True):
        texts = {name: value for name, value in row.items() if isinstance(value, str) and not _is_time(name)}
        assert {name: cells.get(name, value) for name, value in texts.items()} == texts


def _is_time(column: str) -> bool:
    return column.endswith("_at")


@pytest.mark.parametrize("path", [path for path in PATHS if path not in LISTS])
def test_what_is_no_list_is_refused_as_csv_and_comes_as_json(book: Api, path: str) -> None:
    joint = "&" if "?" in path else "?"
    facts = problem(book.get(f"{path}{joint}format=csv"), 422, "invalid")
    assert facts["field"] == "format"
    assert "no list" in facts["detail"]
    assert book.get(path, headers={"Accept": "text/csv"}).json().keys() == book.ask(path).keys()
    assert book.ask(f"{path}{joint}format=json")


@pytest.mark.parametrize("path", LISTS)
def test_meta_of_csv_is_in_headers(book: Api, path: str) -> None:
    joint = "&" if "?" in path else "?"
    headers = book.get(f"{path}{joint}format=csv&as_of=2026-12-31").headers
    assert headers["grossbuch-as-of"] == "2026-12-31"
    assert headers["grossbuch-log-size"] == headers["grossbuch-known-at"] == str(book.written)
    assert headers["grossbuch-projection"]
    assert headers["grossbuch-version"]
    assert "grossbuch-next" not in headers


@pytest.mark.parametrize("path", PATHS)
def test_every_query_refuses_a_parameter_it_does_not_know(book: Api, path: str) -> None:
    joint = "&" if "?" in path else "?"
    assert "asof" in problem(book.get(f"{path}{joint}asof=2026-05-01"), 422, "invalid")["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_was_known_before_the_first_event(book: Api, path: str) -> None:
    joint = "&" if "?" in path else "?"
    answer = book.get(f"{path}{joint}known_at=0")
    if path in LISTS and path not in LISTS_OF_SOMETHING:
        assert answer.json()["items"] == []
    else:
        problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/clients/nobody",
        "/v1/deals/none",
        "/v1/pipelines/none",
        "/v1/products/none",
        "/v1/warehouses/none",
        "/v1/funnel/snapshot?pipeline=none",
        "/v1/funnel/transitions?pipeline=none",
        "/v1/receivables/statement?client=none&from=2026-05-01&to=2026-05-31",
        "/v1/receivables/statement?counterparty=none&from=2026-05-01&to=2026-05-31",
        "/v1/receivables/dso?client=none&from=2026-05-01&to=2026-05-31",
        "/v1/receivables/exposure?client=none",
        "/v1/receivables/ageing?client=none",
        "/v1/receivables/open-items?client=none&format=csv",
        "/v1/stock/balances?product=none",
        "/v1/stock/balances?warehouse=none&limit=5000",
        "/v1/stock/turnovers?product=P1&warehouse=none&from=2026-05-01&to=2026-05-31",
        "/v1/stock/movements?product=none",
        "/v1/stock/restatements?product=none",
        "/v1/receivables/restatements?client=none",
        "/v1/funnel/restatements?pipeline=none",
        "/v1/nothing",
    ],
)
def test_what_is_not_there_is_not_found(book: Api, path: str) -> None:
    problem(book.get(path), 404, "not_found")


@pytest.mark.parametrize(
    "bad",
    [
        "as_of=yesterday",
        "as_of=2026",
        "as_of=2026-05-01T12:00:00",
        "as_of=1700-01-01",
        "known_at=-5",
        "known_at=0.5",
        "known_at=soon",
        "min_position=-1",
        "wait_ms=60000",
        "limit=0",
        "limit=x",
        "cursor=x",
        "cursor=WyIiLCIiXQ==",
        "cursor=WyJcdTAwMDAiXQ==",
        "cursor=W251bGxd",
        "format=xml",
        "search=%00",
    ],
)
def test_a_parameter_that_means_nothing_is_refused(book: Api, bad: str) -> None:
    problem(book.http.get(f"/v1/clients?{bad}"), 422, "invalid")


@pytest.mark.parametrize("list", ["/v1/clients", "/v1/stock/balances", "/v1/receivables/open-items"])
def test_a_cursor_of_another_list_is_refused(book: Api, list: str) -> None:
    cursor = book.ask("/v1/stock/movements?limit=1")["next"]
    problem(book.get(f"{list}?cursor={cursor}"), 422, "invalid")


class TestTimes:
    def test_an_offset_may_be_any(self, api: Api) -> None:
        api.given(client(effective_at="2026-05-01T23:00:00+23:00"))
        for when in ("2026-05-01T00:00:00-00:00", "2026-04-30T04:56:00-19:04", "2026-05-01T23:00:00%2B23:00"):
            assert api.rows(f"/v1/clients?as_of={when}")[0]["client"] == "C1"
        assert api.rows("/v1/clients?as_of=2026-04-30") == []

    def test_as_of_a_date_runs_to_its_end_and_a_time_to_that_moment(self, api: Api) -> None:
        api.given(product(), warehouse(), received("10", on="2026-05-02T08:00:00Z"))
        on_hand = {
            moment: sum(int(row["on_hand"]) for row in api.rows(f"/v1/stock/balances?as_of={moment}"))
            for moment in ("2026-05-01", "2026-05-02T07:59:59Z", "2026-05-02T10:00:00%2B02:00", "2026-05-02")
        }
        assert list(on_hand.values()) == [0, 0, 10, 10]

    def test_a_day_is_one_of_the_ledger_s_time_zone(self, serve: Callable[..., Api]) -> None:
        api = serve(time_zone="Asia/Tokyo")
        api.given(product(), warehouse(), received("10", on="2026-05-01T20:00:00Z"))
        assert api.rows("/v1/stock/balances?as_of=2026-05-01") == []
        assert len(api.rows("/v1/stock/balances?as_of=2026-05-02")) == 1

    def test_known_at_a_position_or_a_time_is_what_was_known_then(self, api: Api) -> None:
        api.given(product(), warehouse(), received("10", on="2026-05-02"), received("5", on="2026-05-01"))
        recorded_at = api.events()[2]["recorded_at"].replace("+", "%2B")

        def on_hand(known_at: str) -> str:
            [row] = api.rows(f"/v1/stock/balances?as_of=2026-05-02&known_at={known_at}")
            return str(row["on_hand"])

        assert [on_hand("3"), on_hand(recorded_at), on_hand("4"), on_hand("1000")] == ["10", "10", "15", "15"]

    def test_meta_tells_the_position_that_was_asked_for(self, api: Api) -> None:
        api.given(client("C1"), client("C2"))
        assert api.ask("/v1/clients?known_at=1")["meta"]["known_at"] == 1
        assert api.ask("/v1/clients?known_at=9")["meta"]["known_at"] == 2


class TestReadingOneSOwnWrites:
    def test_min_position_waits_until_it_is_seen(self, api: Api) -> None:
        for number in range(50):
            [answer] = api.given(client(f"C{number}"))
            found = api.http.get(f"/v1/clients/C{number}?min_position={answer['position']}&wait_ms=10000")
            assert found.status_code == 200

    def test_a_position_that_is_not_reached_in_time_is_behind(self, api: Api) -> None:
        api.given(client())
        assert len(api.rows("/v1/clients")) == 1
        answer = api.http.get("/v1/clients?min_position=2&wait_ms=30")
        facts = problem(answer, 503, "behind")
        assert answer.headers["retry-after"] == "1"
        assert (facts["position"], facts["min_position"]) == (1, 2)


NAMES = ("50% off", "a_b", "Anna", "back\\slash", "500 acb", "ООО «Ромашка»", "Äpfel & Co")


@pytest.mark.parametrize("search", ["50%25", "a_b", "ann", "ANN", "%5C", "ромашка", "ÄPFEL"])
def test_search_finds_what_is_in_the_text(api: Api, search: str) -> None:
    api.given(*(client(str(number), name) for number, name in enumerate(NAMES)))
    wanted = httpx.URL(f"http://x/?q={search}").params["q"].lower()
    names = [row["name"] for row in api.rows(f"/v1/clients?search={search}")]
    assert names == [name for name in NAMES if wanted in name.lower()]
