"""Receivables over HTTP: the worked example of docs/reference/figures.md, and each figure and command once."""

import csv
from io import StringIO
from typing import Any

import pytest

from tests.e2e.api import Api, problem
from tests.e2e.given import at, client, invoice, payment
from tests.e2e.load import at_once, codes

JUNE, MAY_TO_JULY = "from=2026-06-01&to=2026-06-30", "from=2026-05-01&to=2026-07-12"


def told(type: str, on: str = "2026-06-25", **fields: object) -> dict[str, Any]:
    return {"type": type, "effective_at": at(on), **fields}


def owed(book: Api, who: str, as_of: str, **columns: str) -> None:
    [row] = book.rows(f"/v1/receivables/ageing?client={who}&as_of={as_of}")
    buckets = ("current", "d1_30", "d31_60", "d61_90", "over_90", "unapplied")
    assert {name: row[name] for name in (*buckets, "balance") if float(row[name])} == columns


class TestTheWorkedExample:
    @pytest.fixture(scope="class")
    @classmethod
    def book(cls, shared: Api) -> Api:
        """Invoice 300 due 10 June; 100 paid on the 12th and allocated; 50 paid on the 20th, not allocated."""
        shared.given(
            client("C9"), invoice("I1", "300.00", due="2026-06-10", client="C9", effective_at=at("2026-05-10"))
        )
        paid = [{"invoice": "I1", "amount": "100.00"}]
        shared.given(payment("Z1", "100.00", client="C9", allocate=paid, effective_at=at("2026-06-12")))
        shared.given(payment("Z2", "50.00", client="C9", effective_at=at("2026-06-20"), bank_account="main"))
        return shared

    def test_receivables_by_age(self, book: Api) -> None:
        owed(book, "C9", "2026-06-15", d1_30="200.00", balance="200.00")
        owed(book, "C9", "2026-07-12", d31_60="200.00", unapplied="-50.00", balance="150.00")

    def test_a_statement_opens_lists_each_document_and_closes(self, book: Api) -> None:
        found = book.ask(f"/v1/receivables/statement?client=C9&{JUNE}")
        assert (found["opening"], found["closing"]) == ("300.00", "150.00")
        assert [(e["on"], e["document"], e["debit"], e["credit"]) for e in found["entries"]] == [
            ("2026-06-12", "Z1", "0", "100.00"),
            ("2026-06-20", "Z2", "0", "50.00"),
        ]
        assert (found["debits"], found["credits"], found["currency"]) == ("0", "150.00", "EUR")
        [issued, *_] = book.ask(f"/v1/receivables/statement?counterparty=C9&{MAY_TO_JULY}")["entries"]
        assert issued == {
            "on": "2026-05-10",
            "document": "I1",
            "type": "invoice.issued",
            "debit": "300.00",
            "credit": "0",
        }

    def test_a_statement_is_of_somebody(self, book: Api) -> None:
        assert book.get(f"/v1/receivables/statement?{JUNE}").status_code == 422

    def test_dso_is_the_balance_at_the_end_over_net_sales_times_days(self, book: Api) -> None:
        found = book.ask(f"/v1/receivables/dso?client=C9&{MAY_TO_JULY}")
        assert (found["balance"], found["gross"], found["sales"], found["days"]) == ("150.00", "200.00", "300.00", 73)
        assert (found["dso_net"], found["dso_gross"]) == ("36.50", "48.67")

    def test_dso_of_a_period_without_sales_is_null(self, book: Api) -> None:
        found = book.ask(f"/v1/receivables/dso?client=C9&{JUNE}")
        assert (found["sales"], found["dso_net"], found["dso_gross"]) == ("0", None, None)

    def test_exposure_without_a_limit_is_what_is_owed_in_the_books_currency(self, book: Api) -> None:
        found = book.ask("/v1/receivables/exposure?client=C9")
        assert {name: found[name] for name in ("currency", "limit", "available")} == {
            "currency": "EUR",
            "limit": None,
            "available": None,
        }
        assert book.ask("/v1/receivables/exposure?client=C9&as_of=2026-07-12")["exposure"] == "150.00"

    def test_payments_are_added_up_by_bank_account(self, book: Api) -> None:
        rows = book.rows(f"/v1/payments/summary?client=C9&{JUNE}&group_by=bank_account")
        assert [(row["client"], row["bank_account"], row["received"], row["net"]) for row in rows] == [
            (None, None, "100.00", "100.00"),
            (None, "main", "50.00", "50.00"),
        ]

    @pytest.mark.parametrize(
        "path",
        [f"/v1/payments/summary?{JUNE}", "/v1/receivables/ageing?as_of=2026-07-12", "/v1/receivables/open-items?"],
    )
    def test_lists_are_csv_too(self, book: Api, path: str) -> None:
        [*rows] = csv.DictReader(StringIO(book.get(f"{path}&format=csv").text))
        assert {row["currency"] for row in rows} == {"EUR"}

    def test_what_was_known_before_stays(self, book: Api) -> None:
        [first, *_] = book.events()
        known = next(e["position"] for e in book.events() if e["type"] == "payment.allocated")
        assert first["position"] == 1
        found = book.ask(f"/v1/receivables/statement?client=C9&{JUNE}&known_at={known}")
        assert [entry["document"] for entry in found["entries"]] == ["Z1"]
        assert book.ask(f"/v1/receivables/exposure?client=C9&as_of=2026-07-12&known_at={known}")["exposure"] == "200.00"


@pytest.fixture
def book(api: Api) -> Api:
    """C1 owes 100 as A, in two instalments, and has paid 80 as B."""
    terms = [{"due_on": "2026-06-10", "amount": "40.00"}, {"due_on": "2026-08-10", "amount": "60.00"}]
    added = [told("client.add_counterparty", "2026-05-01", client="C1", counterparty=name) for name in ("A", "B")]
    issued = {"counterparty": "A", "terms": terms, "effective_at": at("2026-05-10")}
    paid = {"counterparty": "B", "bank_account": "main", "direction": "retail", "effective_at": at("2026-06-01")}
    api.given(client("C1"), *added, invoice("I1", "100.00", due="2026-06-10", **issued))
    api.given(payment("ZB", "80.00", **paid))
    return api


def test_a_clients_card_tells_who_it_is_and_what_it_may_owe(book: Api) -> None:
    book.given(
        told(
            "client.change", "2026-11-01T00:00:00Z", client="C1", name="Anna AG", attributes={"size": "big", "a.b": "c"}
        ),
        told("client.change", "2026-11-02T00:00:00Z", client="C1", attributes={"size": None}, contacts={"phone": "1"}),
        told("client.add_counterparty", "2026-05-01", client="C1", counterparty="K", name="Kontor KG", tax_id="DE1"),
        told("client.retire_counterparty", "2026-06-26", client="C1", counterparty="K"),
        told("client.set_credit_limit", client="C1", amount="1000.00", currency="EUR"),
    )
    card = book.ask("/v1/clients/C1?as_of=2999-01-01")
    assert (card["attributes"], card["contacts"]) == ({"a.b": "c"}, {"phone": "1"})
    assert card["credit_limit"] == {"amount": "1000.00", "currency": "EUR"}
    nothing = {"name": None, "tax_id": None, "retired_on": None}
    assert card["counterparties"] == [
        {"counterparty": "A", **nothing},
        {"counterparty": "B", **nothing},
        {"counterparty": "K", "name": "Kontor KG", "tax_id": "DE1", "retired_on": "2026-06-26"},
    ]
    assert [row["client"] for row in book.rows("/v1/clients?search=anna&as_of=2999-01-01")] == ["C1"]


def test_bad_debt_is_written_off_and_money_that_comes_later_is_income(book: Api) -> None:
    book.given(told("invoice.write_off", "2026-06-15", invoice="I1", amount="100.00", reason="insolvent"))
    paid = {"counterparty": "A", "allocate": [{"invoice": "I1", "amount": "30.00"}]}
    book.given(payment("Z1", "30.00", effective_at=at("2026-06-20"), **paid))
    owed(book, "C1", "2026-06-30", unapplied="-80.00", balance="-80.00")
    entries = book.ask(f"/v1/receivables/statement?counterparty=A&{JUNE}")["entries"]
    assert [(entry["type"], entry["debit"], entry["credit"]) for entry in entries] == [
        ("invoice.written_off", "0", "100.00"),
        ("payment.received", "0", "30.00"),
        ("payment.allocated", "30.00", "0"),
    ]
    facts = book.refused(told("invoice.write_off", invoice="I1", amount="1.00", reason="x"), 422, "exceeds_open")
    assert (facts["open"], facts["shortfall"]) == ("0", "1.00")


def test_a_credit_note_takes_off_the_debt_and_the_sales(book: Api) -> None:
    book.given(told("invoice.credit", "2026-06-05", invoice="I1", amount="50.00", reason="damaged", credit_note="N1"))
    owed(book, "C1", "2026-06-15", current="50.00", unapplied="-80.00", balance="-30.00")
    assert book.ask(f"/v1/receivables/dso?client=C1&{JUNE}")["sales"] == "-50.00"
    [entry] = book.ask(f"/v1/receivables/statement?counterparty=A&{JUNE}")["entries"]
    assert (entry["document"], entry["type"], entry["credit"]) == ("N1", "invoice.credited", "50.00")
    again = told("invoice.credit", invoice="I1", amount="1.00", reason="damaged", credit_note="N1")
    book.refused(again, 422, "already_exists")
    assert (
        book.refused(told("invoice.cancel", invoice="I1", reason="x"), 422, "has_allocations")["allocated"] == "50.00"
    )


def test_a_cancelled_invoice_is_owed_no_more(book: Api) -> None:
    book.given(told("invoice.cancel", "2026-06-05", invoice="I1", reason="sent by mistake"))
    assert book.rows("/v1/receivables/open-items?client=C1") == []
    owed(book, "C1", "2026-06-04", current="100.00", unapplied="-80.00", balance="20.00")


def test_another_entitys_money_pays_by_an_offset_and_the_clients_total_does_not_move(book: Api) -> None:
    book.given(told("receivable.offset", client="C1", from_counterparty="B", invoice="I1", amount="50.00"))
    owed(book, "C1", "2026-06-24", d1_30="40.00", current="60.00", unapplied="-80.00", balance="20.00")
    owed(book, "C1", "2026-06-25", current="50.00", unapplied="-30.00", balance="20.00")
    by = book.rows("/v1/receivables/ageing?client=C1&by=counterparty&as_of=2026-06-25")
    assert {row["counterparty"]: row["balance"] for row in by} == {"A": "50.00", "B": "-30.00"}
    assert [
        len(book.ask(f"/v1/receivables/statement?{who}&{JUNE}")["entries"]) for who in ("client=C1", "counterparty=A")
    ] == [1, 2]
    wrong = {"payment": "ZB", "invoice": "I1", "amount": "1.00"}
    book.refused(told("payment.allocate", **wrong), 422, "counterparty_mismatch")


def test_a_bounced_payment_undoes_what_it_paid_from_that_day_on(book: Api) -> None:
    book.given(
        told("receivable.offset", "2026-06-02", client="C1", from_counterparty="B", invoice="I1", amount="50.00")
    )
    book.given(told("payment.refund", "2026-06-03", payment="ZB", amount="10.00"))
    book.given(told("payment.bounce", "2026-06-20", payment="ZB", reason="no cover"))
    owed(book, "C1", "2026-06-19", current="50.00", unapplied="-20.00", balance="30.00")
    owed(book, "C1", "2026-06-20", d1_30="40.00", current="60.00", balance="100.00")
    [row] = book.rows(f"/v1/payments/summary?{JUNE}&group_by=bank_account,direction")
    assert {name: row[name] for name in ("received", "refunded", "bounced", "net")} == {
        "received": "80.00",
        "refunded": "10.00",
        "bounced": "70.00",
        "net": "0.00",
    }
    book.refused(told("payment.bounce", payment="ZB"), 422, "payment_bounced")
    book.refused(told("payment.bounce", payment="Z9"), 404, "not_found")


def test_money_is_allocated_taken_back_and_refunded(book: Api) -> None:
    book.given(payment("Z1", "70.00", counterparty="A", effective_at=at("2026-06-02")))
    allocation = {"payment": "Z1", "invoice": "I1", "amount": "50.00"}
    book.given(told("payment.allocate", "2026-06-03", **allocation))
    facts = book.refused(told("payment.refund", payment="Z1", amount="20.01"), 422, "exceeds_unapplied")
    assert (facts["available"], facts["shortfall"]) == ("20.00", "0.01")
    book.given(
        told("payment.deallocate", "2026-06-04", **allocation), told("payment.refund", payment="Z1", amount="70.00")
    )
    owed(book, "C1", "2026-06-30", d1_30="40.00", current="60.00", unapplied="-80.00", balance="20.00")
    types = [row["type"] for row in book.rows("/v1/clients/C1/timeline") if row["about"] == "Z1"]
    assert types == ["payment.received", *["payment.allocated"] * 2, *["payment.deallocated"] * 2, "payment.refunded"]


def test_a_document_beyond_the_credit_limit_is_refused_with_the_facts(book: Api) -> None:
    book.given(told("client.set_credit_limit", client="C1", amount="50.00", currency="EUR"))
    facts = book.refused(invoice("I2", "30.01", due="2026-06-10"), 422, "credit_limit_exceeded")
    assert {name: facts[name] for name in ("limit", "exposure", "available", "shortfall")} == {
        "limit": "50.00",
        "exposure": "20.00",
        "available": "30.00",
        "shortfall": "0.01",
    }
    found = book.ask("/v1/receivables/exposure?client=C1")
    assert (found["exposure"], found["limit"], found["available"]) == ("20.00", "50.00", "30.00")


def test_a_retired_counterparty_is_not_invoiced(book: Api) -> None:
    book.given(told("client.retire_counterparty", "2026-06-20", client="C1", counterparty="A"))
    wanted = invoice("I2", "5.00", due="2026-07-10", counterparty="A", effective_at=at("2026-06-20"))
    assert book.refused(wanted, 422, "counterparty_retired")["on"] == "2026-06-20"
    book.refused({**wanted, "counterparty": "Z"}, 404, "not_found")
    book.given(payment("Z1", "5.00", counterparty="A"))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/receivables/exposure?client=A",
        f"/v1/receivables/dso?client=A&{JUNE}",
        f"/v1/receivables/statement?client=A&{JUNE}",
        f"/v1/receivables/statement?client=C1&counterparty=nobody&{JUNE}",
        f"/v1/receivables/statement?client=C2&counterparty=A&{JUNE}",
        "/v1/clients/A/timeline",
        "/v1/clients/nobody/timeline",
    ],
)
def test_a_client_that_is_only_a_counterparty_or_a_counterparty_of_others_is_not_found(book: Api, path: str) -> None:
    book.given(client("C2"))
    problem(book.get(path), 404, "not_found")


@pytest.mark.parametrize(
    "who", ["client=C1", "client=C1&counterparty=A", "client=C1&counterparty=C1", "counterparty=A"]
)
def test_a_statement_of_somebody_who_is_there_is_found(book: Api, who: str) -> None:
    assert book.get(f"/v1/receivables/statement?{who}&{JUNE}").status_code == 200


def test_a_timeline_from_before_the_client_was_there_is_empty(book: Api) -> None:
    assert book.rows("/v1/clients/C1/timeline?as_of=2000-01-01") == []


@pytest.mark.parametrize("path", ["receivables/statement?client=C1", "receivables/dso?client=C1", "payments/summary?"])
def test_a_period_does_not_end_before_it_begins(book: Api, path: str) -> None:
    refusal = problem(book.get(f"/v1/{path}&from=2026-06-02&to=2026-06-01"), 422, "invalid")
    [error] = refusal["errors"]
    assert "to: " in error
    assert book.get(f"/v1/{path}&from=2026-06-01&to=2026-06-01").status_code == 200


def test_open_items_take_what_ageing_takes(book: Api) -> None:
    items = book.rows("/v1/receivables/open-items?client=C1")
    assert len(items) == 2
    assert book.rows("/v1/receivables/open-items?client=C1&by=counterparty") == items


def test_a_hundred_callers_allocate_no_more_than_the_payment_has(book: Api) -> None:
    book.given(payment("Z1", "30.00", counterparty="A"))
    part = told("payment.allocate", payment="Z1", invoice="I1", amount="1.00")
    answers = at_once(book, [part] * 100)
    assert codes(answers) == {201: 30, "over_allocation": 70}
    assert book.ask("/v1/receivables/exposure?client=C1")["exposure"] == "-10.00"


def test_a_hundred_callers_bounce_a_payment_once(book: Api) -> None:
    book.given(payment("Z1", "30.00", counterparty="A", allocate="oldest"))
    answers = at_once(book, [told("payment.bounce", "2999-01-01", payment="Z1")] * 100)
    assert codes(answers) == {201: 1, "payment_bounced": 99}
