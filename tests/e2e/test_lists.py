"""Lists: whole as CSV, in pages as JSON, and each page tells where the next one is."""

from collections.abc import Iterator

import pytest

from tests.e2e.api import Api, table
from tests.e2e.given import client

IDS = [f"C{number:03}" for number in range(250)]


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    shared.given_all([client(id) for id in IDS])
    return shared


def pages(api: Api, path: str) -> Iterator[list[dict[str, object]]]:
    """By the links alone."""
    link: str | None = path
    while link:
        answer = api.http.get(link)
        yield answer.json()["items"]
        link = answer.links["next"]["url"] if answer.links else None


def test_csv_is_the_whole_list(book: Api) -> None:
    answer = book.get("/v1/clients?format=csv")
    assert [row["client"] for row in table(answer)] == IDS
    assert "link" not in answer.headers


def test_csv_that_a_limit_cuts_says_so_in_its_last_line_and_in_a_header(book: Api) -> None:
    answer = book.get("/v1/clients?format=csv&limit=100")
    *lines, last = answer.text.splitlines()
    assert len(lines) == 101
    assert last == f"# the list goes on; cursor={answer.headers['grossbuch-next']}"
    rest = book.http.get(answer.links["next"]["url"].replace("limit=100", "limit=1000"))
    assert [row["client"] for row in table(rest)] == IDS[100:]


@pytest.mark.parametrize("limit", [1_000, 250, 249, 100, 7])
def test_links_lead_through_a_list_of_any_page(book: Api, limit: int) -> None:
    found = [row["client"] for page in pages(book, f"/v1/clients?limit={limit}&search=c") for row in page]
    assert found == IDS


def test_links_lead_through_long_pages(book: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.http.queries.SHORT", 10)
    assert [row["client"] for page in pages(book, "/v1/clients?limit=60") for row in page] == IDS


def test_links_lead_through_the_records_of_an_audit(book: Api) -> None:
    found = [row["position"] for page in pages(book, "/v1/audit/events?limit=100") for row in page]
    assert found == list(range(1, len(IDS) + 1))


def test_a_link_repeats_no_host_that_a_caller_made_up_and_keeps_what_was_asked(book: Api) -> None:
    answer = book.http.get("/v1/clients?search=C0&limit=2", headers={"Host": "evil.example["})
    assert answer.status_code == 200
    assert answer.headers["link"].startswith("</v1/clients?search=C0&limit=2&cursor=")
    assert answer.headers["link"].endswith('>; rel="next"')


@pytest.mark.parametrize("path", ["/v1/clients", "/v1/clients?format=csv", "/v1/clients/C001", "/v1/health/live"])
def test_head_tells_what_get_would(book: Api, path: str) -> None:
    got, told = book.http.get(path), book.http.head(path)
    assert (told.status_code, told.content) == (200, b"")
    assert told.headers["content-type"] == got.headers["content-type"]
    assert book.http.head("/v1/commands").status_code == 405
    assert book.http.head("/v1/clients/nobody").status_code == 404


@pytest.mark.parametrize("path", ["/v1/clients/C001", "/v1/clients", "/v1/clients?limit=5000", "/v1/nothing"])
def test_json_ends_as_a_line_does(book: Api, path: str) -> None:
    assert book.http.get(path).text.endswith("}\n")


def test_answers_to_commands_end_as_lines_do(book: Api) -> None:
    assert book.http.post("/v1/commands?dry_run=1", json=client("new")).text.endswith("}\n")
    assert book.http.post("/v1/commands/batch?dry_run=1", json=[client("new")]).text.endswith("}]\n")
