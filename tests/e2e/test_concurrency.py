"""Fifty callers at once, or a hundred: nobody is failed, and the rule holds."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from tests.e2e.api import Api, Command
from tests.e2e.given import (
    at,
    client,
    deal,
    estimated,
    invoice,
    moved,
    payment,
    pipeline,
    product,
    received,
    reopened,
    shipped,
    warehouse,
    won,
)
from tests.e2e.load import CALLERS, at_once, codes

HUNDRED = 100


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


class TestAHundredOnOneReservation:
    @pytest.fixture
    def book(self, api: Api) -> Api:
        """Ten lamps, all of them promised."""
        reserve = {"type": "stock.reserve", "reservation": "R1", "product": "P1", "warehouse": "W1", "quantity": "10"}
        api.given(
            product(), warehouse(), received("10", on="2026-05-01"), {**reserve, "effective_at": at("2026-05-02")}
        )
        return api

    def test_it_is_made_once(self, book: Api) -> None:
        book.given(received("90", on="2026-05-01"))
        again = {"type": "stock.reserve", "reservation": "R2", "product": "P1", "warehouse": "W1", "quantity": "10"}
        answers = at_once(book, [{**again, "effective_at": at("2026-05-02")}] * HUNDRED, HUNDRED)
        assert codes(answers) == {201: 1, "already_exists": HUNDRED - 1}
        [row] = book.rows("/v1/stock/balances")
        assert row["reserved"] == "20"

    def test_shipped_and_released_at_once_it_is_never_more_than_it_was(self, book: Api) -> None:
        release = {"type": "stock.release", "reservation": "R1", "effective_at": at("2026-05-03")}
        mine, others = shipped("1", on="2026-05-03", reservation="R1"), shipped("1", on="2026-05-03")
        answers = at_once(book, [others, mine, release, mine] * (HUNDRED // 4), HUNDRED)
        found = codes(answers)
        assert found.keys() <= {201, "not_found", "insufficient_stock"}
        types = [event["type"] for event in book.events()]
        assert types.count("stock.released") <= 1
        assert types.count("stock.shipped") <= 10
        [row] = book.rows("/v1/stock/balances") or [{"reserved": "0", "on_hand": "0"}]
        assert (row["reserved"], row["on_hand"]) == ("0", str(10 - types.count("stock.shipped")))


class TestAHundredOnOnePayment:
    @pytest.fixture
    def book(self, api: Api) -> Api:
        """100 owed, and 40 paid that pays nothing yet."""
        issued = invoice("I", "100.00", due="2026-06-10", effective_at=at("2026-05-01"))
        api.given(client(), issued, payment("Z", "40.00", effective_at=at("2026-05-02")))
        return api

    def told(self, type: str, **fields: str) -> Command:
        return {"type": f"payment.{type}", "payment": "Z", "effective_at": at("2026-05-03"), **fields}

    def test_no_more_is_allocated_than_was_paid(self, book: Api) -> None:
        answers = at_once(book, [self.told("allocate", invoice="I", amount="3.00")] * HUNDRED, HUNDRED)
        assert codes(answers) == {201: 13, "over_allocation": HUNDRED - 13}
        [owed] = book.rows("/v1/receivables/ageing?as_of=2026-06-15")
        assert (owed["d1_30"], owed["unapplied"], owed["balance"]) == ("61.00", "-1.00", "60.00")

    def test_allocated_taken_back_and_refunded_at_once_it_keeps_its_amount(self, book: Api) -> None:
        part = {"invoice": "I", "amount": "4.00"}
        some = [self.told("allocate", **part), self.told("deallocate", **part), self.told("refund", amount="4.00")]
        found = codes(at_once(book, (some * HUNDRED)[:HUNDRED], HUNDRED))
        assert found.keys() <= {201, "over_allocation", "exceeds_unapplied"}
        types = [event["type"] for event in book.events()]
        applied = 4 * (types.count("payment.allocated") - types.count("payment.deallocated"))
        refunded = 4 * types.count("payment.refunded")
        assert 0 <= applied <= 40 - refunded
        [owed] = book.rows("/v1/receivables/ageing?as_of=2026-06-15")
        assert Decimal(owed["d1_30"]) == 100 - applied
        assert Decimal(owed["unapplied"]) == applied + refunded - 40

    def test_it_bounces_once_and_whatever_it_paid_is_owed_again(self, book: Api) -> None:
        allocate, bounce = self.told("allocate", invoice="I", amount="3.00"), self.told("bounce")
        found = codes(at_once(book, [allocate, allocate, allocate, bounce] * (HUNDRED // 4), HUNDRED))
        assert found["payment_bounced"] >= HUNDRED // 4 - 1
        assert found.keys() <= {201, "payment_bounced", "over_allocation"}
        types = [event["type"] for event in book.events()]
        assert types.count("payment.bounced") == 1
        assert types.count("payment.allocated") == types.count("payment.deallocated") <= 13
        [owed] = book.rows("/v1/receivables/ageing?as_of=2026-06-15")
        assert (owed["d1_30"], Decimal(owed["unapplied"]), owed["balance"]) == ("100.00", 0, "100.00")


class TestAHundredOnOneDeal:
    @pytest.fixture
    def book(self, api: Api) -> Api:
        won_one = [deal("X", "sales", "1.00", on="2026-05-01"), won("X", on="2026-05-02")]
        api.given(client(), pipeline("sales", "free", "A", "B"), *won_one)
        return api

    def test_it_is_reopened_once(self, book: Api) -> None:
        answers = at_once(book, [reopened("X", "A", on="2026-05-03")] * HUNDRED, HUNDRED)
        assert codes(answers) == {201: 1, "deal_open": HUNDRED - 1}

    def test_every_estimate_is_taken_and_the_last_one_counts(self, book: Api) -> None:
        book.given(reopened("X", "A", on="2026-05-03"))
        answers = at_once(book, [estimated("X", f"{n}.00", on="2026-05-04") for n in range(HUNDRED)], HUNDRED)
        assert codes(answers) == {201: HUNDRED}
        last = max(range(HUNDRED), key=lambda number: answers[number].json()["position"])
        assert book.ask("/v1/deals/X")["amount"] == f"{last}.00"

    def test_reopened_estimated_and_won_at_once_it_goes_from_open_to_won_and_back(self, book: Api) -> None:
        on = "2026-05-04"
        some = [
            reopened("X", "A", on=on),
            estimated("X", "5.00", on=on),
            won("X", on=on),
            estimated("X", "7.00", on=on),
        ]
        found = codes(at_once(book, some * (HUNDRED // 4), HUNDRED))
        assert found.keys() <= {201, "deal_open", "deal_closed"}
        assert sum(found.values()) == HUNDRED
        outcome = "won"
        for event in book.events(after=4):
            changes = {
                "deal.reopened": ("won", "open"),
                "deal.won": ("open", "won"),
                "deal.estimated": ("open", "open"),
            }
            before, after = changes[event["type"]]
            assert outcome == before
            outcome = after


def test_readers_and_writers_do_not_hold_each_other_up(api: Api) -> None:
    api.given(client(), *(invoice(f"I{number}", "10.00", due="2026-06-10") for number in range(20)))
    api.ask("/v1/clients/C1/timeline")  # it is there from now on
    reads = ["/v1/receivables/ageing", "/v1/clients/C1/timeline", "/v1/audit/events", "/v1/projections", "/metrics"]
    writes = [payment(f"Z{number}", "1.00", allocate="oldest") for number in range(100)]
    with_reads = [command if number % 2 else reads[number % 5] for number, command in enumerate(writes)]

    def go(what: object) -> int:
        answer = api.http.get(what) if isinstance(what, str) else api.http.post("/v1/commands", json=what)
        return answer.status_code

    with ThreadPoolExecutor(CALLERS) as threads:
        assert set(threads.map(go, with_reads)) == {200, 201}
