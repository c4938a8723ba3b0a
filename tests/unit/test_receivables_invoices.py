"""Invoices: credited, written off, cancelled; never more than is open, and nothing before the invoice itself."""

import pytest

from domain.receivables import Account, Allocated, Cancelled, Credited, OpenInvoice, WrittenOff
from tests.unit.given import command, d, dec, entries, given, happened, now, refused, when
from tests.unit.words import (
    add_counterparty,
    allocate,
    bounce,
    cancel,
    credit,
    deallocate,
    give_up,
    issue,
    limit_credit,
    pay,
    register_client,
    retire_counterparty,
    to,
)

TERMS = [{"due_on": "2026-08-10", "amount": "60"}, {"due_on": "2026-06-10", "amount": "40"}]


@pytest.fixture(autouse=True)
def _an_invoice_of_two_instalments() -> None:
    given(register_client("C1"), add_counterparty("A", "2026-05-01"))
    given(issue("I1", 100, due="2026-06-10", on="2026-05-10", terms=TERMS, counterparty="A"))


def account(client: str = "C1") -> Account:
    state = now(Account, client)
    assert isinstance(state, Account)
    return state


def open_of(invoice: str = "I1") -> list[tuple[str, str]]:
    item = account().invoices.get(invoice)
    return [(str(part.due_on), str(part.amount)) for part in item.open] if item else []


def paid(amount: object, payment: str = "Z1", on: str | None = "2026-05-20") -> None:
    given(pay(amount, on, payment=payment, counterparty="A", allocate=[to("I1", amount)]))


def test_a_credit_note_takes_off_the_earliest_instalment_first() -> None:
    when(credit("I1", 50, "2026-05-20", credit_note="N1"))
    [event] = happened("invoice.credited")
    assert isinstance(event, Credited)
    assert (event.credit_note, event.counterparty, event.currency) == ("N1", "A", "EUR")
    assert [(part.due_on, part.amount) for part in event.parts] == [(d("2026-06-10"), 40), (d("2026-08-10"), 10)]
    assert open_of() == [("2026-08-10", "50")]


def test_a_credit_note_without_an_id_gets_one_and_one_with_an_id_is_unique() -> None:
    when(credit("I1", 1), credit("I1", 1), credit("I1", 1, credit_note="N1"))
    first, second, third = happened(*["invoice.credited"] * 3)
    assert isinstance(first, Credited)
    assert isinstance(second, Credited)
    assert isinstance(third, Credited)
    assert first.credit_note != second.credit_note
    when(credit("I1", 1, credit_note="N1"))
    refused("already_exists", kind="credit_note", id="N1")


@pytest.mark.parametrize("take", [credit, give_up])
def test_more_than_is_open_is_neither_credited_nor_written_off(take) -> None:
    paid(30)
    when(take("I1", "70.01"))
    refused("exceeds_open", invoice="I1", open=dec(70), shortfall=dec("0.01"))


@pytest.mark.parametrize("take", [credit, give_up])
def test_of_a_settled_invoice_nothing_is_open(take) -> None:
    paid(100)
    when(take("I1", 1))
    refused("exceeds_open", open=dec(0), shortfall=dec(1))


@pytest.mark.parametrize("take", [credit, give_up])
def test_a_finer_amount_than_the_currency_has_is_not_taken_off(take) -> None:
    when(take("I1", "0.001"))
    refused("invalid", field="amount", places=2)


@pytest.mark.parametrize(
    "unknown", [credit("I9", 1), give_up("I9", 1), cancel("I9"), allocate("Z1", "I9", 1), deallocate("Z1", "I9", 1)]
)
def test_an_unknown_invoice_is_not_found(unknown) -> None:
    paid(10)
    when(unknown)
    refused("not_found", kind="invoice", id="I9")


@pytest.mark.parametrize("take", [credit, give_up])
def test_nothing_is_taken_off_an_invoice_before_the_invoice_itself(take) -> None:
    when(take("I1", 10, "2026-05-01"))
    assert [entry.on for entry in entries()] == [d("2026-05-10")]


def test_a_write_off_of_bad_debt_closes_the_item() -> None:
    when(give_up("I1", 100, "2026-12-31"))
    [event] = happened("invoice.written_off")
    assert isinstance(event, WrittenOff)
    assert (event.reason, event.amount, len(event.parts)) == ("insolvent", 100, 2)
    assert account().invoices == {}


def test_money_that_comes_for_a_written_off_invoice_is_income_not_a_negative_item() -> None:
    given(give_up("I1", 100, "2026-05-20"))
    when(pay(70, "2026-05-30", counterparty="A", allocate=[to("I1", 70)]))
    _, first, second = happened("payment.received", "payment.allocated", "payment.allocated")
    assert isinstance(first, Allocated)
    assert isinstance(second, Allocated)
    assert [(e.due_on, e.amount, e.recovery) for e in (first, second)] == [
        (d("2026-06-10"), 40, True),
        (d("2026-08-10"), 30, True),
    ]
    assert (account().invoices, account().unapplied) == ({}, {})


def test_no_more_is_recovered_than_was_written_off() -> None:
    given(give_up("I1", 100), pay(70, counterparty="A", allocate=[to("I1", 70)]))
    when(pay(50, payment="Z2", counterparty="A", allocate=[to("I1", 31)]))
    refused("over_allocation", invoice="I1")
    given(pay(30, payment="Z3", counterparty="A", allocate=[to("I1", 30)]))


def test_what_is_open_is_paid_before_what_was_written_off_is_recovered() -> None:
    given(give_up("I1", 70))
    when(pay(90, counterparty="A", allocate=[to("I1", 90)]))
    allocated = happened("payment.received", *["payment.allocated"] * 3)[1:]
    assert [(e.amount, e.recovery) for e in allocated if isinstance(e, Allocated)] == [
        (30, None),
        (40, True),
        (20, True),
    ]


def test_a_recovery_counts_from_the_write_off_on() -> None:
    given(give_up("I1", 100, "2026-05-25"), pay(100, "2026-05-20", payment="Z1", counterparty="A"))
    when(allocate("Z1", "I1", 40, "2026-05-21"))
    assert [entry.on for entry in entries()] == [d("2026-05-25")]


def test_a_recovery_that_is_undone_may_be_recovered_again() -> None:
    given(give_up("I1", 100), pay(70, counterparty="A", allocate=[to("I1", 70)]))
    when(bounce("Z1"))
    happened("payment.deallocated", "payment.deallocated", "payment.bounced")
    assert (account().invoices, account().unapplied) == ({}, {})
    given(pay(100, payment="Z2", counterparty="A", allocate=[to("I1", 100)]))


def test_an_invoice_that_should_not_have_been_is_cancelled_as_a_whole() -> None:
    when(cancel("I1", "2026-05-20"))
    [event] = happened("invoice.cancelled")
    assert isinstance(event, Cancelled)
    assert (event.amount, sum(part.amount for part in event.parts)) == (100, 100)
    assert account().invoices == {}


@pytest.mark.parametrize("taken_off", [credit("I1", 30), give_up("I1", 30)])
def test_an_invoice_with_credits_on_it_is_not_cancelled(taken_off) -> None:
    given(taken_off)
    when(cancel("I1"))
    refused("has_allocations", allocated=dec(30))


def test_an_invoice_with_money_on_it_is_not_cancelled_before_the_money_is_taken_back() -> None:
    paid(100)
    when(cancel("I1"))
    refused("has_allocations", allocated=dec(100))
    given(deallocate("Z1", "I1", 100))
    when(cancel("I1"))
    happened("invoice.cancelled")


def test_a_cancelled_invoice_takes_nothing_and_is_not_cancelled_again() -> None:
    given(cancel("I1"))
    when(cancel("I1"))
    refused("invoice_cancelled")
    when(credit("I1", 1))
    refused("exceeds_open", open=dec(0))
    when(pay(1, counterparty="A", allocate=[to("I1", 1)]))
    refused("over_allocation", open=dec(0))
    when(issue("I1", 5, due="2026-06-10"))
    refused("already_exists", kind="invoice", id="I1")


def test_an_invoice_for_nothing_is_cancelled_once_like_any_other() -> None:
    given(issue("I0", 0, due="2026-06-10"), cancel("I0"))
    when(cancel("I0"))
    refused("invoice_cancelled")
    assert set(account().invoices) == {"I1"}


def test_an_invoice_of_a_counterparty_that_was_never_added_is_not_found() -> None:
    when(issue("I2", 5, due="2026-06-10", counterparty="B"))
    refused("not_found", kind="counterparty", id="B")
    when(pay(5, counterparty="B"))
    refused("not_found", kind="counterparty", id="B")


def test_a_retired_counterparty_is_not_invoiced_from_that_day_on_but_may_pay() -> None:
    given(retire_counterparty("A", "2026-05-15"))
    when(issue("I2", 5, due="2026-06-10", on="2026-05-15T00:00:00Z", counterparty="A"))
    refused("counterparty_retired", on=d("2026-05-15"))
    when(
        issue("I2", 5, due="2026-06-10", on="2026-05-14", counterparty="A"),
        pay(5, "2026-05-20", counterparty="A", allocate=[to("I1", 5)]),
    )
    happened("invoice.issued", "payment.received", "payment.allocated")


def test_a_counterparty_that_is_back_is_still_not_invoiced_on_a_day_on_which_it_was_retired() -> None:
    given(retire_counterparty("A", "2026-05-15"), add_counterparty("A", "2026-05-20"))
    given(retire_counterparty("A", "2026-05-25"), add_counterparty("A", "2026-05-28"))
    for day, since in [("15", "15"), ("19", "15"), ("25", "25"), ("27", "25")]:
        when(issue("I2", 5, due="2026-06-10", on=f"2026-05-{day}", counterparty="A"))
        refused("counterparty_retired", on=d(f"2026-05-{since}"))
    for day in ("14", "20", "24", "28"):
        when(issue(f"I{day}", 5, due="2026-06-10", on=f"2026-05-{day}", counterparty="A"))
        happened("invoice.issued")


def test_an_invoice_of_a_later_day_stands_when_its_counterparty_is_retired_before_it() -> None:
    given(issue("I2", 5, due="2026-06-10", on="2026-05-20", counterparty="A"))
    when(retire_counterparty("A", "2026-05-15"))
    happened("client.counterparty_retired")


def test_a_document_beyond_the_credit_limit_is_refused_with_the_facts() -> None:
    given(limit_credit(150), pay(20, counterparty="A"))
    when(issue("I2", "70.01", due="2026-06-10"))
    refused("credit_limit_exceeded", limit=dec(150), exposure=dec(80), available=dec(70), shortfall=dec("0.01"))
    when(issue("I2", 70, due="2026-06-10"))
    happened("invoice.issued")


def test_a_limit_is_not_set_before_the_one_there_is_nor_in_advance() -> None:
    given(limit_credit(150, on="2026-05-20"))
    when(limit_credit(90, on="2026-05-19"))
    refused("out_of_order", kind="credit_limit", id="C1", since="2026-05-20T12:00:00+00:00")
    when(limit_credit(90, on="2026-06-02"))
    refused("invalid", field="effective_at")
    given(limit_credit(90, on="2026-05-20"))
    when(issue("I2", 1, due="2026-06-10"))
    refused("credit_limit_exceeded", limit=dec(90))


def test_exposure_is_over_all_counterparties_in_the_credit_currency() -> None:
    given(add_counterparty("B"), issue("I2", 30, due="2026-06-10", counterparty="B"))
    given(issue("I3", 500, due="2026-06-10", currency="USD"), limit_credit(135))
    when(issue("I4", 6, due="2026-06-10"))
    refused("credit_limit_exceeded", exposure=dec(130), available=dec(5), shortfall=dec(1))
    when(issue("I4", 6, due="2026-06-10", currency="USD"))
    happened("invoice.issued")


def test_a_limit_below_what_is_owed_lets_nothing_more_through() -> None:
    given(limit_credit(60))
    when(issue("I2", 1, due="2026-06-10"))
    refused("credit_limit_exceeded", available=dec(-40), shortfall=dec(41))


def test_what_is_settled_frees_credit() -> None:
    given(limit_credit(100))
    paid(100)
    when(issue("I2", 100, due="2026-06-10"))
    happened("invoice.issued")


def test_more_than_is_open_and_written_off_is_refused_with_both() -> None:
    given(give_up("I1", 100))
    when(pay(200, counterparty="A", allocate=[to("I1", 150)]))
    refused("over_allocation", invoice="I1", open=dec(0), recoverable=dec(100), shortfall=dec(50))


def test_a_batch_is_decided_on_what_its_earlier_commands_wrote() -> None:
    when(give_up("I1", 100), pay(5, counterparty="A", allocate=[to("I1", 5)]), cancel("I1"), credit("I1", 1))
    assert [entry.event.type for entry in entries()] == ["invoice.written_off", "payment.received", "payment.allocated"]


def test_commands_for_another_clients_invoice_find_that_clients_account() -> None:
    given(register_client("C2"), issue("I2", 50, due="2026-06-10", client="C2"))
    when(credit("I2", 20))
    assert [(entry.originator_id, entry.order_key) for entry in entries()] == [("account-C2", "account-C2")]


def test_a_wrong_reason_is_refused_by_its_form() -> None:
    with pytest.raises(ValueError, match="reason"):
        command("invoice.cancel", invoice="I1")


def test_a_settled_accounts_state_is_empty_after_a_thousand_settled_invoices() -> None:
    given(*(issue(f"X{n}", 1 + n % 7, due="2026-06-10", on="2026-05-10") for n in range(1_000)))
    given(*(credit(f"X{n}", 1 + n % 7) for n in range(500)))
    given(*(pay(1 + n % 7, payment=f"P{n}", allocate=[to(f"X{n}", 1 + n % 7)]) for n in range(500, 1_000)))
    given(cancel("I1"))
    assert (account().invoices, account().unapplied) == ({}, {})
    assert len(account().model_dump_json()) < 300


def test_an_open_invoice_keeps_nothing_of_what_was_paid_on_it() -> None:
    sizes = set()
    for n in range(20):
        paid("0.10", payment=f"Y{n}")
        item: OpenInvoice = account().invoices["I1"]
        sizes.add(len(item.model_dump_json()))
    assert max(sizes) - min(sizes) < 10
