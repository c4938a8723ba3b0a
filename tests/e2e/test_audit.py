"""What auditors and operators read: the records, the state of the projections, health and figures."""

import pytest

from projections import PROJECTIONS
from tests.e2e.api import Api, problem
from tests.e2e.given import client, invoice, payment


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    for number in range(10):
        shared.given(client(f"C{number}"), invoice(f"I{number}", "10.00", due="2026-06-10", client=f"C{number}"))
    shared.given(payment("Z1", "4.00", client="C3", allocate="oldest"))
    return shared


def test_records_come_in_order_of_position_without_gaps(book: Api) -> None:
    assert [record["position"] for record in book.events()] == list(range(1, 23))


@pytest.mark.parametrize("limit", [1, 4, 11, 22, 23])
def test_pages_of_records_visit_each_once(book: Api, limit: int) -> None:
    found, after = [], 0
    while after is not None:
        page = book.http.get(f"/v1/audit/events?after={after}&limit={limit}").json()
        found += page["items"]
        after = page["next"]
    assert found == book.events()


def test_records_are_filtered_by_stream_and_type(book: Api) -> None:
    def positions(filter: str) -> list[int]:
        return [record["position"] for record in book.http.get(f"/v1/audit/events?{filter}").json()["items"]]

    assert positions("stream=client-C3") == [7]
    assert positions("stream=account-C3") == [8, 21, 22]
    assert positions("type=payment.allocated") == [22]
    assert positions("stream=account-C3&type=invoice.issued&after=8") == []


def test_a_record_tells_who_wrote_what_when(book: Api) -> None:
    record = book.http.get("/v1/audit/events?after=20&limit=1").json()["items"][0]
    assert record["stream"] == "account-C3"
    assert (record["version"], record["type"], record["schema_version"]) == (2, "payment.received", 1)
    assert record["payload"]["amount"] == "4.00"
    assert record["metadata"]["command_id"]
    assert record["recorded_at"].endswith("+00:00")


@pytest.mark.parametrize("bad", ["after=-1", "limit=0", "limit=10001", "limit=x", "type=a%20b", "stream=%00"])
def test_a_filter_that_means_nothing_is_refused(book: Api, bad: str) -> None:
    problem(book.http.get(f"/v1/audit/events?{bad}"), 422, "invalid")


def test_a_filter_that_there_is_not_is_refused(book: Api) -> None:
    problem(book.http.get("/v1/audit/events?streams=client-C3"), 422, "invalid")


def test_projections_tell_how_far_they_are(book: Api) -> None:
    for path in ("/v1/clients", "/v1/stock/balances", "/v1/receivables/ageing", "/v1/deals", "/v1/clients/C3/timeline"):
        book.ask(path)
    found = {each["projection"]: each for each in book.http.get("/v1/projections").json()}
    assert found.keys() == {projection.name for projection in PROJECTIONS}
    assert found["receivables"]["position"] == book.written
    assert (found["receivables"]["behind_events"], found["receivables"]["behind_seconds"]) == (0, 0)


def test_health_tells_that_it_lives_and_is_ready(book: Api) -> None:
    assert book.http.get("/v1/health/live").json() == {"status": "alive"}
    assert book.http.get("/v1/health/ready").json() == {"status": "ready", "set_back": []}


def test_metrics_count_commands_and_tell_the_size_of_the_log(book: Api) -> None:
    text = book.http.get("/metrics").text
    assert 'grossbuch_commands_total{outcome="accepted",type="client.register"}' in text
    assert "grossbuch_append_seconds_bucket" in text
    assert f"grossbuch_log_size {float(book.written)}" in text
    assert 'grossbuch_projection_behind_events{projection="stock"}' in text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/v1/audit/events", "/v1/clients/C1", "/v1/commands"])
def test_nothing_of_the_book_can_be_changed_or_taken_out(book: Api, method: str, path: str) -> None:
    problem(book.http.request(method, path, json={}), 405, "method_not_allowed")
    assert book.log_size() == 22
