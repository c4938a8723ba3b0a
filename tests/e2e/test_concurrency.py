"""Fifty callers at once: nobody is failed, and the rule holds."""

from concurrent.futures import ThreadPoolExecutor

from tests.e2e.api import Api
from tests.e2e.given import client, deal, invoice, moved, payment, pipeline, product, received, shipped, warehouse, won
from tests.e2e.load import CALLERS, at_once, codes


def test_distinct_commands_are_all_taken(api: Api) -> None:
    answers = at_once(api, [client(f"C{number}") for number in range(500)])
    assert codes(answers) == {201: 500}
    assert sorted(answer.json()["position"] for answer in answers) == list(range(1, 501))


def test_one_command_from_all_is_done_once_and_answered_alike(api: Api) -> None:
    answers = at_once(api, [client(command_id="k")] * CALLERS)
    assert codes(answers) == {201: 1, 200: CALLERS - 1}
    assert len({answer.text for answer in answers}) == 1
    assert api.log_size() == 1


def test_one_deal_moves_once(api: Api) -> None:
    api.given(client(), pipeline("sales", "strict", "A", "B", "C"), deal("X", "sales", "1.00", on="2026-05-01"))
    assert codes(at_once(api, [moved("X", "B", on="2026-05-02")] * CALLERS)) == {
        201: 1,
        "stage_not_allowed": CALLERS - 1,
    }
    api.given(moved("X", "C", on="2026-05-03"))
    assert codes(at_once(api, [won("X", on="2026-05-04")] * CALLERS)) == {201: 1, "deal_closed": CALLERS - 1}


def test_one_payment_is_received_once_and_pays_no_more_than_is_open(api: Api) -> None:
    api.given(client(), *(invoice(f"I{number}", "10.00", due="2026-06-10") for number in range(3)))
    answers = at_once(api, [payment("Z", "25.00", allocate="oldest")] * CALLERS)
    assert codes(answers) == {201: 1, "already_exists": CALLERS - 1}
    [owed] = api.rows("/v1/receivables/ageing")
    assert owed["balance"] == "5.00"


def test_payments_at_once_never_pay_one_invoice_twice(api: Api) -> None:
    api.given(client(), invoice("I", "100.00", due="2026-06-10"))
    part = [{"invoice": "I", "amount": "7.00"}]
    answers = at_once(api, [payment(f"Z{number}", "7.00", allocate=part) for number in range(CALLERS)])
    assert codes(answers) == {201: 14, "over_allocation": CALLERS - 14}
    [item] = api.rows("/v1/receivables/open-items")
    assert item["open"] == "2.00"


def test_no_more_leaves_a_warehouse_than_is_in_it(api: Api) -> None:
    api.given(product(), warehouse(), received("10", on="2026-05-01"))
    answers = at_once(api, [shipped("1", on="2026-05-02")] * CALLERS)
    assert codes(answers) == {201: 10, "insufficient_stock": CALLERS - 10}
    assert api.rows("/v1/stock/balances") == []


def test_readers_and_writers_do_not_hold_each_other_up(api: Api) -> None:
    api.given(client(), *(invoice(f"I{number}", "10.00", due="2026-06-10") for number in range(20)))
    reads = ["/v1/receivables/ageing", "/v1/clients/C1/timeline", "/v1/audit/events", "/v1/projections", "/metrics"]
    writes = [payment(f"Z{number}", "1.00", allocate="oldest") for number in range(100)]
    with_reads = [command if number % 2 else reads[number % 5] for number, command in enumerate(writes)]

    def go(what: object) -> int:
        answer = api.http.get(what) if isinstance(what, str) else api.http.post("/v1/commands", json=what)
        return answer.status_code

    with ThreadPoolExecutor(CALLERS) as threads:
        assert set(threads.map(go, with_reads)) == {200, 201}
