"""Receivables: what is owed, what is paid, and never more than is open on either side."""

import pytest

from domain.receivables import Account, Allocated, Issued, Received
from tests.unit.given import d, dec, entries, given, happened, now, refused, when
from tests.unit.words import add_counterparty, issue, pay, register_client, to


@pytest.fixture(autouse=True)
def _a_client() -> None:
    given(register_client("C1"), *(add_counterparty(name) for name in ("A", "B", "other")))


def paid() -> list[tuple[str, str, str]]:
    """Invoice, due date and amount of what the last payment paid."""
    [received, *allocated] = happened("payment.received", *["payment.allocated"] * (len(entries()) - 1))
    assert isinstance(received, Received)
    return [(e.invoice, e.due_on.isoformat(), str(e.amount)) for e in allocated if isinstance(e, Allocated)]


def account(client: str = "C1") -> Account:
    state = now(Account, client)
    assert isinstance(state, Account)
    return state


def test_without_terms_the_whole_is_due_at_once() -> None:
    when(issue("I1", 300, due="2026-06-10"))
    [event] = happened("invoice.issued")
    assert isinstance(event, Issued)
    assert [(part.due_on, part.amount) for part in event.terms] == [(d("2026-06-10"), dec(300))]


def test_without_a_counterparty_the_client_stands_for_itself() -> None:
    when(issue("I1", 300, due="2026-06-10"))
    [event] = happened("invoice.issued")
    assert isinstance(event, Issued)
    assert event.counterparty == "C1"


def test_an_invoice_is_issued_on_its_effective_day_unless_told() -> None:
    when(issue("I1", 300, due="2026-06-10", on="2026-05-02"), issue("I2", 1, due="2026-06-10", issued_on="2026-04-01"))
    assert [event.issued_on for event in happened("invoice.issued", "invoice.issued")] == [
        d("2026-05-02"),
        d("2026-04-01"),
    ]


def test_terms_must_add_up_to_the_amount() -> None:
    when(issue("I1", 300, due="2026-06-10", terms=[{"due_on": "2026-06-10", "amount": "299.99"}]))
    refused("invalid", field="terms", total=dec("299.99"))


@pytest.mark.parametrize(("amount", "currency", "places"), [("0.001", "EUR", 2), ("0.5", "JPY", 0)])
def test_a_finer_amount_than_the_currency_has_is_refused(amount, currency, places) -> None:
    when(issue("I1", amount, due="2026-06-10", currency=currency))
    refused("invalid", field="amount", places=places)
    when(pay(amount, currency=currency))
    refused("invalid", field="amount", places=places)


def test_a_finer_instalment_than_the_currency_has_is_refused() -> None:
    terms = [{"due_on": "2026-06-10", "amount": amount} for amount in ("0.005", "0.995")]
    when(issue("I1", 1, due="2026-06-10", terms=terms))
    refused("invalid", field="terms.amount")


def test_a_finer_line_than_the_currency_has_is_refused() -> None:
    when(issue("I1", 1, due="2026-06-10", lines=[{"product": "lamp", "amount": "1.00"}, {"amount": "0.005"}]))
    refused("invalid", field="lines.amount", places=2)


def test_an_invoice_id_is_used_once_over_all_clients() -> None:
    given(register_client("C2"), issue("I1", 300, due="2026-06-10"))
    when(issue("I1", 5, due="2026-06-10", client="C2"))
    refused("already_exists", kind="invoice", id="I1")


def test_a_payment_id_is_used_once_over_all_clients() -> None:
    given(register_client("C2"), pay(10))
    when(pay(10, client="C2"))
    refused("already_exists", kind="payment", id="Z1")


def test_only_known_clients_are_invoiced_and_pay() -> None:
    when(issue("I1", 300, due="2026-06-10", client="C9"))
    refused("not_found", kind="client", id="C9")
    when(pay(10, client="C9"))
    refused("not_found", kind="client", id="C9")


def test_an_invoice_names_a_deal_that_exists() -> None:
    when(issue("I1", 300, due="2026-06-10", deal="D9"))
    refused("not_found", kind="deal", id="D9")


def test_a_payment_that_names_no_invoice_is_an_advance() -> None:
    given(issue("I1", 300, due="2026-06-10"))
    when(pay(100))
    assert paid() == []
    assert account().unapplied["Z1"].amount == 100
    assert account().invoices["I1"].amount == 300


def test_the_oldest_debt_by_due_date_is_paid_first() -> None:
    given(issue("I1", 100, due="2026-07-10", on="2026-01-01"), issue("I2", 100, due="2026-06-10", on="2026-02-01"))
    when(pay(150, allocate="oldest"))
    assert paid() == [("I2", "2026-06-10", "100"), ("I1", "2026-07-10", "50")]


def test_of_debts_due_on_the_same_day_the_one_issued_first_is_paid_first() -> None:
    given(issue("I1", 100, due="2026-06-10", on="2026-02-01"), issue("I2", 100, due="2026-06-10", on="2026-01-01"))
    when(pay(150, allocate="oldest"))
    assert paid() == [("I2", "2026-06-10", "100"), ("I1", "2026-06-10", "50")]


def test_the_oldest_instalments_are_paid_over_all_invoices() -> None:
    terms = [{"due_on": "2026-06-10", "amount": "50"}, {"due_on": "2026-08-10", "amount": "50"}]
    given(issue("I1", 100, due="2026-06-10", terms=terms), issue("I2", 50, due="2026-07-10"))
    when(pay(120, allocate="oldest"))
    assert sorted(paid()) == [("I1", "2026-06-10", "50"), ("I1", "2026-08-10", "20"), ("I2", "2026-07-10", "50")]


def test_what_is_more_than_all_debts_stays_as_an_advance() -> None:
    given(issue("I1", 100, due="2026-06-10"))
    when(pay(130, allocate="oldest"))
    assert paid() == [("I1", "2026-06-10", "100")]
    assert account().unapplied["Z1"].amount == 30


def test_the_oldest_of_another_counterparty_or_currency_are_passed_over() -> None:
    given(issue("I1", 100, due="2026-06-10", counterparty="other"), issue("I2", 100, due="2026-06-10", currency="USD"))
    when(pay(130, allocate="oldest"))
    assert paid() == []


def test_money_goes_to_the_invoices_that_are_named() -> None:
    given(issue("I1", 100, due="2026-06-10"), issue("I2", 100, due="2026-05-10"))
    when(pay(100, allocate=[to("I1", 60), to("I2", 30)]))
    assert paid() == [("I1", "2026-06-10", "60"), ("I2", "2026-05-10", "30")]
    assert account().unapplied["Z1"].amount == 10


def test_more_than_is_open_on_the_invoice_is_refused() -> None:
    given(issue("I1", 100, due="2026-06-10"), pay(30, payment="Z0", allocate=[to("I1", 30)]))
    when(pay(100, allocate=[to("I1", "70.01")]))
    refused("over_allocation", invoice="I1", open=dec(70), shortfall=dec("0.01"))


def test_more_than_the_payment_has_is_refused() -> None:
    given(issue("I1", 100, due="2026-06-10"), issue("I2", 100, due="2026-06-10"))
    when(pay(100, allocate=[to("I1", 60), to("I2", 41)]))
    refused("over_allocation", payment="Z1", invoice="I2", available=dec(40), shortfall=dec(1))


def test_an_invoice_that_is_named_twice_is_paid_the_sum() -> None:
    given(issue("I1", 100, due="2026-06-10"))
    when(pay(100, allocate=[to("I1", 40), to("I1", 30)]))
    assert paid() == [("I1", "2026-06-10", "70")]


def test_an_invoice_that_is_named_twice_is_not_paid_more_than_is_open() -> None:
    given(issue("I1", 100, due="2026-06-10"))
    when(pay(200, allocate=[to("I1", 60), to("I1", 60)]))
    refused("over_allocation", invoice="I1", open=dec(100), shortfall=dec(20))


def test_early_money_goes_to_the_earliest_instalment_however_they_are_listed() -> None:
    terms = [{"due_on": "2026-08-10", "amount": "50"}, {"due_on": "2026-06-10", "amount": "50"}]
    given(issue("I1", 100, due="2026-06-10", terms=terms))
    when(pay(70, allocate=[to("I1", 70)]))
    assert paid() == [("I1", "2026-06-10", "50"), ("I1", "2026-08-10", "20")]


def test_instalments_due_on_the_same_day_are_paid_one_after_the_other() -> None:
    terms = [{"due_on": "2026-06-10", "amount": amount} for amount in ("50", "30")]
    given(issue("I1", 80, due="2026-06-10", terms=terms), pay(20, payment="Z0", allocate=[to("I1", 20)]))
    assert account().invoices["I1"].amount == 60
    when(pay(60, allocate="oldest"))
    assert sum(dec(amount) for *_, amount in paid()) == 60
    assert account().invoices == {}


def test_another_currency_does_not_pay() -> None:
    given(issue("I1", 100, due="2026-06-10", currency="USD"))
    when(pay(100, allocate=[to("I1", 100)]))
    refused("currency_mismatch", currency="USD")


def test_anothers_money_does_not_pay() -> None:
    given(issue("I1", 100, due="2026-06-10", counterparty="A"))
    when(pay(100, counterparty="B", allocate=[to("I1", 100)]))
    refused("counterparty_mismatch", counterparty="A")


def test_another_clients_invoice_is_not_there_to_be_paid() -> None:
    given(register_client("C2"), issue("I1", 100, due="2026-06-10", client="C2"))
    when(pay(100, allocate=[to("I1", 100)]))
    refused("not_found", kind="invoice", id="I1")


def test_a_settled_invoice_takes_no_more() -> None:
    given(issue("I1", 100, due="2026-06-10"), pay(100, payment="Z0", allocate="oldest"))
    when(pay(1, allocate=[to("I1", 1)]))
    refused("over_allocation", invoice="I1", open=dec(0), shortfall=dec(1))


def test_a_finer_allocation_than_the_currency_has_is_refused() -> None:
    given(issue("I1", 100, due="2026-06-10"))
    when(pay(100, allocate=[to("I1", "0.001")]))
    refused("invalid", field="allocate.amount")


def test_what_is_settled_leaves_the_state() -> None:
    given(issue("I1", 100, due="2026-06-10"), pay(100, allocate="oldest"))
    assert (account().invoices, account().unapplied) == ({}, {})
    assert account().version == 6


def test_an_invoice_for_nothing_is_settled_when_it_is_issued() -> None:
    given(issue("I1", 0, due="2026-06-10"))
    assert account().invoices == {}


def test_an_invoice_in_part_paid_keeps_what_is_open() -> None:
    given(issue("I1", 300, due="2026-06-10"))
    given(pay(100, "2026-06-12", payment="Z1", allocate="oldest"), pay(50, "2026-06-20", payment="Z2"))
    assert account().invoices["I1"].amount == 200
    assert {id: payment.amount for id, payment in account().unapplied.items()} == {"Z2": dec(50)}


def test_an_allocation_names_what_it_pays() -> None:
    given(issue("I1", 100, due="2026-06-10", counterparty="A"))
    when(pay(100, counterparty="A", allocate="oldest"))
    _, event = happened("payment.received", "payment.allocated")
    assert event == Allocated(
        payment="Z1",
        invoice="I1",
        client="C1",
        counterparty="A",
        currency="EUR",
        due_on=d("2026-06-10"),
        amount=dec(100),
    )


def test_money_that_came_before_the_invoice_pays_it_from_the_invoices_day_on() -> None:
    given(issue("I1", 100, due="2026-06-30", on="2026-06-10"))
    when(pay(100, on="2026-06-05", allocate="oldest"))
    assert [(entry.event.type, entry.on) for entry in entries()] == [
        ("payment.received", d("2026-06-05")),
        ("payment.allocated", d("2026-06-10")),
    ]
