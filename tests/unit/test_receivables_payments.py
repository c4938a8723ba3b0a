"""Payments: allocated later, taken back, bounced, refunded, and offset between a client's legal entities."""

import pytest

from domain.receivables import Account, Allocated, Bounced, Deallocated, Offset, Refunded
from tests.unit.given import d, dec, entries, given, happened, now, refused, when
from tests.unit.words import (
    add_counterparty,
    allocate,
    bounce,
    credit,
    deallocate,
    issue,
    offset,
    pay,
    refund,
    register_client,
    to,
)

TERMS = [{"due_on": "2026-06-10", "amount": "40"}, {"due_on": "2026-08-10", "amount": "60"}]


@pytest.fixture(autouse=True)
def _a_debt_of_a_and_money_of_b() -> None:
    given(register_client("C1"), add_counterparty("A"), add_counterparty("B"))
    given(issue("I1", 100, due="2026-06-10", on="2026-05-10", terms=TERMS, counterparty="A"))
    given(pay(80, "2026-05-12", payment="ZB", counterparty="B"))


def account(client: str = "C1") -> Account:
    state = now(Account, client)
    assert isinstance(state, Account)
    return state


def open_of(invoice: str = "I1") -> list[tuple[str, int]]:
    item = account().invoices.get(invoice)
    return [(str(part.due_on), int(part.amount)) for part in item.open] if item else []


def left_of(payment: str) -> int:
    found = account().unapplied.get(payment)
    return int(found.amount) if found else 0


def paid(amount: object, on: str = "2026-05-20", payment: str = "Z1", **more: object) -> None:
    given(pay(amount, on, payment=payment, counterparty="A", allocate=[to("I1", amount)], **more))


def on_days() -> list[str]:
    return [entry.on.isoformat() for entry in entries()]


def test_money_that_is_there_is_allocated_later() -> None:
    given(pay(70, "2026-05-20", counterparty="A"))
    when(allocate("Z1", "I1", 50, "2026-05-25"))
    first, second = happened("payment.allocated", "payment.allocated")
    assert isinstance(first, Allocated)
    assert isinstance(second, Allocated)
    assert [(e.due_on, e.amount) for e in (first, second)] == [(d("2026-06-10"), 40), (d("2026-08-10"), 10)]
    assert (open_of(), left_of("Z1")) == ([("2026-08-10", 50)], 20)


def test_nothing_is_allocated_before_payment_and_invoice_are_there() -> None:
    given(pay(70, "2026-05-20", counterparty="A"))
    when(allocate("Z1", "I1", 10, "2026-05-01"))
    assert on_days() == ["2026-05-20"]
    given(issue("I2", 10, due="2026-06-10", on="2026-05-28", counterparty="A"))
    when(allocate("Z1", "I2", 10, "2026-05-21"))
    assert on_days() == ["2026-05-28"]


def test_never_more_is_allocated_than_the_payment_has_left_or_the_invoice_open() -> None:
    given(pay(70, counterparty="A"), pay(200, payment="Z2", counterparty="A"))
    when(allocate("Z1", "I1", "70.01"))
    refused("over_allocation", payment="Z1", available=dec(70), shortfall=dec("0.01"))
    when(allocate("Z2", "I1", 101))
    refused("over_allocation", invoice="I1", open=dec(100), shortfall=dec(1))


def test_a_payment_that_is_all_applied_has_nothing_left() -> None:
    paid(100)
    given(issue("I2", 10, due="2026-06-10", counterparty="A"))
    when(allocate("Z1", "I2", 1))
    refused("over_allocation", payment="Z1", available=dec(0), shortfall=dec(1))


def test_another_counterpartys_money_is_not_allocated() -> None:
    when(allocate("ZB", "I1", 10))
    refused("counterparty_mismatch", counterparty="A")


@pytest.mark.parametrize(
    "unknown", [allocate("Z9", "I1", 1), deallocate("Z9", "I1", 1), bounce("Z9"), refund("Z9", 1)], ids=lambda c: c.type
)
def test_an_unknown_payment_is_not_found(unknown) -> None:
    when(unknown)
    refused("not_found", kind="payment", id="Z9")


def test_an_allocation_can_be_reversed() -> None:
    paid(100)
    when(deallocate("Z1", "I1", 70, "2026-05-25"))
    later, earlier = happened("payment.deallocated", "payment.deallocated")
    assert isinstance(later, Deallocated)
    assert isinstance(earlier, Deallocated)
    assert [(e.due_on, e.amount) for e in (later, earlier)] == [(d("2026-08-10"), 60), (d("2026-06-10"), 10)]
    assert (open_of(), left_of("Z1")) == ([("2026-06-10", 10), ("2026-08-10", 60)], 70)


def test_no_more_is_reversed_than_is_allocated() -> None:
    paid(30)
    given(deallocate("Z1", "I1", 10))
    when(deallocate("Z1", "I1", 21))
    refused("over_allocation", allocated=dec(20), shortfall=dec(1))


def test_an_allocation_is_not_reversed_before_it_was_made() -> None:
    paid(30, on="2026-05-20")
    when(deallocate("Z1", "I1", 10, "2026-05-15"))
    assert on_days() == ["2026-05-20"]


def test_what_was_reversed_is_allocated_again_from_that_day_on() -> None:
    paid(100, on="2026-05-20")
    given(deallocate("Z1", "I1", 100, "2026-05-25"))
    when(allocate("Z1", "I1", 30, "2026-05-21"))
    assert on_days() == ["2026-05-25"]


def test_what_returns_is_what_had_left() -> None:
    paid(100, on="2026-05-20")
    given(deallocate("Z1", "I1", 60), credit("I1", 5), allocate("Z1", "I1", 20), pay(5, counterparty="A", payment="Z2"))
    when(pay(1, payment="Z3", counterparty="A", allocate="oldest"))
    happened("payment.received", "payment.allocated")
    assert (open_of(), left_of("Z1"), left_of("Z2")) == ([("2026-08-10", 34)], 40, 5)


def test_a_bounced_payment_undoes_its_allocations_from_the_day_it_bounced() -> None:
    paid(100, on="2026-05-20", bank_account="main", direction="retail")
    when(bounce("Z1", "2026-05-28", reason="no cover"))
    *_, bounced = happened("payment.deallocated", "payment.deallocated", "payment.bounced")
    assert bounced == Bounced(
        payment="Z1",
        client="C1",
        counterparty="A",
        currency="EUR",
        amount=dec(100),
        bank_account="main",
        direction="retail",
        reason="no cover",
    )
    assert on_days() == ["2026-05-28"] * 3
    assert (open_of(), left_of("Z1")) == ([("2026-06-10", 40), ("2026-08-10", 60)], 0)


def test_an_allocation_made_after_the_day_of_the_bounce_never_counts() -> None:
    given(pay(30, "2026-05-15", counterparty="A"), allocate("Z1", "I1", 30, "2026-05-25"))
    when(bounce("Z1", "2026-05-20"))
    assert [(entry.event.type, entry.on.isoformat()) for entry in entries()] == [
        ("payment.deallocated", "2026-05-25"),
        ("payment.bounced", "2026-05-20"),
    ]


def test_what_was_refunded_stays_refunded_when_the_payment_bounces() -> None:
    given(pay(50, "2026-05-15", counterparty="A"), refund("Z1", 20, "2026-05-16"))
    when(bounce("Z1", "2026-05-20"))
    [bounced] = happened("payment.bounced")
    assert isinstance(bounced, Bounced)
    assert bounced.amount == 30
    assert left_of("Z1") == 0


def test_a_payment_that_was_refunded_whole_may_bounce_all_the_same() -> None:
    given(pay(50, "2026-05-15", counterparty="A"), refund("Z1", 50, "2026-05-16"))
    when(bounce("Z1", "2026-05-20"))
    [bounced] = happened("payment.bounced")
    assert isinstance(bounced, Bounced)
    assert bounced.amount == 0


def test_a_payment_bounces_once_and_then_pays_nothing() -> None:
    given(pay(50, "2026-05-15", counterparty="A"), bounce("Z1", "2026-05-20"))
    when(bounce("Z1"))
    refused("payment_bounced", payment="Z1")
    when(allocate("Z1", "I1", 1))
    refused("over_allocation", available=dec(0))
    when(refund("Z1", 1))
    refused("exceeds_unapplied", available=dec(0))
    when(deallocate("Z1", "I1", 1))
    refused("over_allocation", allocated=dec(0))


@pytest.mark.parametrize("go_back", [bounce("Z1", "2026-05-14"), refund("Z1", 1, "2026-05-14")], ids=lambda c: c.type)
def test_a_payment_does_not_go_back_before_it_was_received(go_back) -> None:
    given(pay(50, "2026-05-15", counterparty="A"))
    when(go_back)
    refused("out_of_order", payment="Z1", received_at="2026-05-15T12:00:00+00:00")


def test_a_refund_comes_out_of_what_is_unapplied() -> None:
    given(pay(50, "2026-05-15", counterparty="A", bank_account="main", allocate=[to("I1", 20)]))
    when(refund("Z1", "30.01"))
    refused("exceeds_unapplied", payment="Z1", available=dec(30), shortfall=dec("0.01"))
    when(refund("Z1", 30))
    [event] = happened("payment.refunded")
    assert isinstance(event, Refunded)
    assert (event.amount, event.counterparty, event.bank_account) == (30, "A", "main")
    assert left_of("Z1") == 0


def test_a_refund_waits_for_the_money_to_be_taken_back() -> None:
    paid(50, on="2026-05-15")
    given(deallocate("Z1", "I1", 50, "2026-05-20"))
    when(refund("Z1", 50, "2026-05-16"))
    assert on_days() == ["2026-05-20"]


def test_a_counterpartys_money_pays_anothers_debt_by_an_explicit_offset() -> None:
    before = account().exposure("EUR")
    when(offset("B", "I1", 50, "2026-05-30"))
    first, second = happened("receivable.offset", "receivable.offset")
    assert isinstance(first, Offset)
    assert isinstance(second, Offset)
    assert [(e.payment, e.due_on, e.amount) for e in (first, second)] == [
        ("ZB", d("2026-06-10"), 40),
        ("ZB", d("2026-08-10"), 10),
    ]
    assert (first.from_counterparty, first.counterparty) == ("B", "A")
    assert (open_of(), left_of("ZB")) == ([("2026-08-10", 50)], 30)
    assert account().exposure("EUR") == before


def test_an_offset_takes_the_oldest_payment_first_whichever_was_entered_first() -> None:
    given(pay(10, "2026-05-11", payment="ZA", counterparty="B"), pay(5, "2026-05-11", payment="ZU", counterparty="A"))
    when(offset("B", "I1", 45))
    events = happened(*["receivable.offset"] * 3)
    assert [(e.payment, e.due_on.month, e.amount) for e in events if isinstance(e, Offset)] == [
        ("ZA", 6, 10),
        ("ZB", 6, 30),
        ("ZB", 8, 5),
    ]


def test_no_more_is_offset_than_is_unapplied_or_open() -> None:
    when(offset("B", "I1", 81))
    refused("over_allocation", counterparty="B", available=dec(80), shortfall=dec(1))
    given(pay(100, counterparty="B"))
    when(offset("B", "I1", 101))
    refused("over_allocation", invoice="I1", open=dec(100), shortfall=dec(1))


def test_money_in_another_currency_is_not_offset() -> None:
    given(pay(500, counterparty="B", currency="USD"))
    when(offset("B", "I1", 81))
    refused("over_allocation", available=dec(80))


def test_ones_own_debt_is_not_offset_but_paid() -> None:
    when(offset("A", "I1", 10))
    refused("counterparty_mismatch", counterparty="A")


def test_an_offset_names_a_counterparty_and_an_invoice_of_the_client() -> None:
    given(register_client("C2"), issue("I2", 10, due="2026-06-10", client="C2"))
    when(offset("X", "I1", 10))
    refused("not_found", kind="counterparty", id="X")
    when(offset("B", "I2", 10))
    refused("not_found", kind="invoice", id="I2")


def test_an_offset_is_undone_like_an_allocation() -> None:
    given(offset("B", "I1", 50))
    when(deallocate("ZB", "I1", 20))
    events = happened("payment.deallocated", "payment.deallocated")
    assert [(e.counterparty, e.from_counterparty, e.amount) for e in events if isinstance(e, Deallocated)] == [
        ("A", "B", 10),
        ("A", "B", 10),
    ]
    when(bounce("ZB"))
    happened("payment.deallocated", "payment.bounced")
    assert (open_of(), left_of("ZB")) == ([("2026-06-10", 40), ("2026-08-10", 60)], 0)


def test_a_recalled_account_is_not_kept_in_the_cache() -> None:
    paid(100)
    given(bounce("Z1"))
    given(pay(100, payment="Z2", counterparty="A", allocate="oldest"))
    assert (account().invoices, set(account().unapplied)) == ({}, {"ZB"})


def test_several_reversals_in_one_batch_see_each_other() -> None:
    paid(100)
    when(deallocate("Z1", "I1", 60), deallocate("Z1", "I1", 60), allocate("Z1", "I1", 10), refund("Z1", 50))
    assert [entry.event.type for entry in entries()] == [
        "payment.deallocated",
        "payment.allocated",
        "payment.refunded",
    ]


def test_what_was_settled_and_is_open_again_is_paid_from_that_day_on_recalled_or_not() -> None:
    paid(50, on="2026-05-12", payment="Z1")
    paid(50, on="2026-05-12", payment="Z2")
    given(deallocate("Z1", "I1", 50, "2026-05-20"))
    paid(50, on="2026-05-20", payment="Z3")
    part = pay(10, "2026-05-16", payment="Z4", counterparty="A", allocate=[to("I1", 10)])
    again = pay(10, "2026-05-16", payment="Z5", counterparty="A", allocate=[to("I1", 10)])
    when(deallocate("Z2", "I1", 50, "2026-05-15"), part)
    assert on_days()[-2:] == ["2026-05-16", "2026-05-16"]
    when(again)
    assert on_days() == ["2026-05-16", "2026-05-16"]


def test_a_payment_does_not_bounce_before_all_that_was_taken_back_of_it() -> None:
    given(pay(100, "2026-05-12", counterparty="A", allocate=[to("I1", 40)]))
    given(issue("I2", 60, due="2026-06-10", on="2026-05-10", counterparty="A"))
    given(issue("I3", 40, due="2026-06-10", on="2026-05-10", counterparty="A"))
    given(allocate("Z1", "I2", 60, "2026-05-13"))
    given(deallocate("Z1", "I1", 40, "2026-05-20"), allocate("Z1", "I3", 40, "2026-05-20"))
    given(deallocate("Z1", "I2", 60, "2026-05-15"))
    when(bounce("Z1", "2026-05-16"))
    refused("out_of_order", kind="payment", id="Z1", since="2026-05-20T12:00:00+00:00")
    when(bounce("Z1", "2026-05-20"))
    assert on_days() == ["2026-05-20", "2026-05-20"]


def test_a_payment_that_was_all_applied_and_is_free_again_is_applied_from_that_day_on_recalled_or_not() -> None:
    given(*(issue(id, 100, due="2026-06-10", on="2026-05-10", counterparty="A") for id in ("I2", "I3")))
    given(pay(100, "2026-05-12", counterparty="A", allocate=[to("I1", 50), to("I2", 50)]))
    given(deallocate("Z1", "I1", 50, "2026-05-18"), allocate("Z1", "I3", 50, "2026-05-20"))
    when(deallocate("Z1", "I2", 50, "2026-05-15"), allocate("Z1", "I3", 10, "2026-05-16"))
    assert on_days() == ["2026-05-15", "2026-05-16"]
    when(allocate("Z1", "I3", 10, "2026-05-16"))
    assert on_days() == ["2026-05-16"]


def test_nothing_is_offset_before_the_money_and_the_invoice_are_there() -> None:
    when(offset("B", "I1", 10, "2026-05-01"))
    assert on_days() == ["2026-05-12"]
    given(issue("I2", 10, due="2026-06-10", on="2026-05-28", counterparty="A"))
    when(offset("B", "I2", 10, "2026-05-15"))
    assert on_days() == ["2026-05-28"]
