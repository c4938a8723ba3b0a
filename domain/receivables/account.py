"""A client's account: all invoices and payments of its counterparties, so that every rule is decided on one state."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from domain.aggregate import Aggregate, Changes, Entry
from domain.clients import CounterpartyAdded, CounterpartyRetired, CreditLimitSet
from domain.event import Event
from domain.money import check_amount
from domain.receivables.counterparty import Counterparty
from domain.receivables.events import (
    Allocated,
    Bounced,
    Cancelled,
    Credited,
    Dated,
    Deallocated,
    Frozen,
    Instalment,
    Issued,
    Offset,
    Received,
    Refunded,
    WrittenOff,
)
from domain.receivables.invoice import OpenInvoice
from domain.receivables.payment import Applied, Payment
from domain.refusal import Refusal, not_found, out_of_order
from domain.values import ZERO


class Wanted(Frozen):
    """So much of a payment is to go to this invoice."""

    invoice: str
    amount: Decimal


Allocation = Literal["oldest"] | tuple[Wanted, ...]


class CreditLimit(Frozen):
    amount: Decimal
    currency: str
    since: datetime


class Account(Aggregate, kind="account", state_version=3):
    """A client's open invoices and unapplied payments, its counterparties and its credit limit.

    What is settled leaves the state, so that it stays small. A whole account has kept it.
    """

    invoices: dict[str, OpenInvoice] = {}
    unapplied: dict[str, Payment] = {}
    counterparties: dict[str, Counterparty] = {}
    """Those that were added; the client stands for itself without."""
    credit_limit: CreditLimit | None = None

    # Counterparties and credit

    def add_counterparty(self, event: CounterpartyAdded, at: datetime) -> CounterpartyAdded:
        if known := self.counterparties.get(event.counterparty):
            known.check_addable(at)
        return event

    def retire_counterparty(self, counterparty: str, on: date, at: datetime) -> CounterpartyRetired:
        if counterparty not in self.counterparties:
            raise not_found("counterparty", counterparty)
        self.counterparties[counterparty].check_retirable(at)
        return CounterpartyRetired(client=self.id, counterparty=counterparty, retired_on=on)

    def limit_credit(self, event: CreditLimitSet, at: datetime, now: datetime) -> CreditLimitSet:
        """In order of time, and none in advance: so the last one told is the one that counts, and the one shown."""
        check_amount(event.amount, event.currency)
        if at > now:
            raise Refusal("invalid", "A credit limit is not set in advance.", field="effective_at")
        if self.credit_limit and at < self.credit_limit.since:
            raise out_of_order("credit_limit", self.id, self.credit_limit.since, at)
        return event

    def exposure(self, currency: str) -> Decimal:
        """What the client owes over all its counterparties, less what it has paid in advance."""
        open = (item.amount for item in self.invoices.values() if item.currency == currency)
        unapplied = (payment.amount for payment in self.unapplied.values() if payment.currency == currency)
        return sum(open, ZERO) - sum(unapplied, ZERO)

    # Invoices

    def issue(self, event: Issued, on: date) -> Issued:
        check_amount(event.amount, event.currency)
        for part in event.terms:
            check_amount(part.amount, event.currency, "terms.amount")
        if (total := sum((part.amount for part in event.terms), ZERO)) != event.amount:
            raise Refusal("invalid", f"The terms add up to {total}, not to {event.amount}.", field="terms", total=total)
        self._check_counterparty(event.counterparty)
        if known := self.counterparties.get(event.counterparty):
            known.check_active(on)
        self._check_credit(event)
        return event

    def invoice(self, invoice: str) -> OpenInvoice:
        if invoice not in self.invoices:
            raise not_found("invoice", invoice)
        return self.invoices[invoice]

    def has_open(self, invoice: str, amount: Decimal) -> bool:
        """Whether so much can be decided on without what has left the state."""
        return invoice in self.invoices and self.invoices[invoice].amount >= amount

    def _check_counterparty(self, counterparty: str) -> None:
        if counterparty != self.id and counterparty not in self.counterparties:
            raise not_found("counterparty", counterparty)

    def _check_credit(self, event: Issued) -> None:
        limit = self.credit_limit
        if limit is None or limit.currency != event.currency:
            return
        exposure = self.exposure(limit.currency)
        if (shortfall := exposure + event.amount - limit.amount) > 0:
            raise Refusal(
                "credit_limit_exceeded",
                f"{limit.amount - exposure} of the credit limit of {limit.amount} is left, less than {event.amount}.",
                limit=limit.amount,
                exposure=exposure,
                available=limit.amount - exposure,
                shortfall=shortfall,
            )

    # Payments

    def receive(self, event: Received, allocation: Allocation, at: datetime) -> Iterator[Dated]:
        """The payment, and what it pays: the invoices named, or the oldest by due date and then by issue."""
        check_amount(event.amount, event.currency)
        self._check_counterparty(event.counterparty)
        yield Dated(event, at)
        payment = Payment.of(event, at)
        wanted = self._oldest(event) if allocation == "oldest" else allocation
        for invoice, amount in _added_up(wanted):
            yield from self.allocate(payment, invoice, amount, at)
            payment = payment.less(amount)

    def payment(self, payment: str) -> Payment:
        if payment not in self.unapplied:
            raise not_found("payment", payment)
        return self.unapplied[payment]

    def allocate(self, payment: Payment, invoice: str, amount: Decimal, at: datetime) -> Iterator[Dated]:
        """First to what is open; then to what was written off, which is income and leaves the item as it is."""
        check_amount(amount, payment.currency, "allocate.amount")
        payment.check_left(amount, payment.amount, invoice)
        item = self._payable(invoice, payment.currency)
        if item.counterparty != payment.counterparty:
            raise Refusal(
                "counterparty_mismatch",
                f"The invoice {invoice} is owed by {item.counterparty}; another's money pays it by an offset only.",
                counterparty=item.counterparty,
            )
        if amount > item.amount + item.recoverable:
            item.refuse_more_than_payable(amount)
        at = max(at, payment.since)
        for part in item.split(amount):
            yield Dated(_allocated(payment, invoice, part), max(at, item.since))
        for lost in item.recover(amount - min(amount, item.amount)):
            part = Instalment(due_on=lost.due_on, amount=lost.amount)
            yield Dated(_allocated(payment, invoice, part, recovery=True), max(at, lost.at))

    def offset(self, from_counterparty: str, invoice: str, amount: Decimal, at: datetime) -> Iterator[Dated]:
        """Money of one counterparty that is not applied, the oldest payment first, pays another's invoice."""
        item = self.invoice(invoice)
        check_amount(amount, item.currency)
        self._check_counterparty(from_counterparty)
        if from_counterparty == item.counterparty:
            raise Refusal(
                "counterparty_mismatch",
                f"The invoice {invoice} is owed by {from_counterparty} itself: allocate its money.",
                counterparty=item.counterparty,
            )
        if amount > item.amount:
            item.refuse_more_than_open(amount, "over_allocation")
        payments = self._unapplied_of(from_counterparty, item.currency)
        if amount > (available := sum((payment.amount for payment in payments), ZERO)):
            raise Refusal(
                "over_allocation",
                f"{from_counterparty} has {available} unapplied, less than {amount}.",
                counterparty=from_counterparty,
                available=available,
                shortfall=amount - available,
            )
        for payment in payments:
            parts = tuple(item.split(min(payment.amount, amount)))
            for part in parts:
                yield Dated(_offset(payment, item, part), max(at, payment.since, item.since))
                amount -= part.amount
            item = item.less(parts)

    def _payable(self, invoice: str, currency: str) -> OpenInvoice:
        item = self.invoice(invoice)
        if item.currency != currency:
            raise Refusal("currency_mismatch", f"The invoice {invoice} is in {item.currency}.", currency=item.currency)
        return item

    def _oldest(self, event: Received) -> Iterator[Wanted]:
        left = event.amount
        parts = sorted(
            (part.due_on, item.issued_on, item.invoice, part.amount)
            for item in self.invoices.values()
            if (item.counterparty, item.currency) == (event.counterparty, event.currency)
            for part in item.open
        )
        for _, _, invoice, amount in parts:
            if paid := min(amount, left):
                left -= paid
                yield Wanted(invoice=invoice, amount=paid)

    def _unapplied_of(self, counterparty: str, currency: str) -> list[Payment]:
        """The oldest first."""
        wanted = counterparty, currency
        those = (each for each in self.unapplied.values() if (each.counterparty, each.currency) == wanted)
        return sorted(those, key=lambda payment: (payment.received_at, payment.payment))

    # What happened

    def evolve(self, entry: Entry) -> Changes:
        at = entry.effective_at
        match entry.event:
            case Issued() as event:
                return self._with_invoice(OpenInvoice.of(event, at))
            case Received() as event:
                return self._with_payment(Payment.of(event, at))
            case Credited() | WrittenOff() | Cancelled() as event:
                return self._reduced(event, at)
            case Allocated() | Offset() as event:
                return self._applied(event, at)
            case Deallocated() as event:
                return self._taken_back(event, at)
            case Refunded() | Bounced() as event:
                return self._gone_back(event)
            case event:
                return self._agreed(event, entry.on, at)

    def _agreed(self, event: Event, on: date, at: datetime) -> Changes:
        match event:
            case CounterpartyAdded(counterparty=counterparty):
                known = self.counterparties.get(counterparty) or Counterparty(counterparty=counterparty, since=at)
                return {"counterparties": {**self.counterparties, counterparty: known.back(on, at)}}
            case CounterpartyRetired(counterparty=counterparty, retired_on=retired_on):
                retired = self.counterparties[counterparty].retired(retired_on, at)
                return {"counterparties": {**self.counterparties, counterparty: retired}}
            case CreditLimitSet(amount=amount, currency=currency):
                return {"credit_limit": CreditLimit(amount=amount, currency=currency, since=at)}
        return {}

    def _reduced(self, event: Credited | WrittenOff | Cancelled, at: datetime) -> Changes:
        item = self.invoices.get(event.invoice)
        match event:
            case _ if item is None:  # cancelled, and it was for nothing
                return {}
            case WrittenOff():
                item = item.losing(event.parts, at)
            case Cancelled():
                item = item.less(event.parts).model_copy(update={"cancelled": True})
            case Credited():
                item = item.less(event.parts)
        return self._with_invoice(item)

    def _applied(self, event: Allocated | Offset, at: datetime) -> Changes:
        payment, item = self.unapplied[event.payment].less(event.amount), self.invoices.get(event.invoice)
        recovery = event.recovery if isinstance(event, Allocated) else None
        if item is None:  # what was written off has left the state
            return self._with_payment(payment)
        if self.whole:
            payment = payment.applying(Applied.of(event, item.issued_on, at, recovery))
        if recovery:
            item = item.recovering(event.due_on, event.amount, at)
        else:
            item = item.less([Instalment(due_on=event.due_on, amount=event.amount)])
        return {**self._with_invoice(item), **self._with_payment(payment)}

    def _taken_back(self, event: Deallocated, at: datetime) -> Changes:
        """Both sides are open again, and back in the state if they had left it."""
        payment = self.unapplied.get(event.payment) or Payment.returning(event, at)
        changes = self._with_payment(payment.freeing(event).more(event.amount, at))
        item = self.invoices.get(event.invoice)
        if event.recovery:
            return {**changes, **(self._with_invoice(item.recovering(event.due_on, -event.amount, at)) if item else {})}
        item = item or OpenInvoice.returning(event, at)
        return {**changes, **self._with_invoice(item.more(event.due_on, event.amount, at))}

    def _gone_back(self, event: Refunded | Bounced) -> Changes:
        payment = self.unapplied.get(event.payment)
        if payment is None:  # all of it had been refunded when it bounced
            return {}
        facts = {"refunded": payment.refunded + event.amount} if isinstance(event, Refunded) else {"bounced": True}
        return self._with_payment(payment.less(event.amount).model_copy(update=facts))

    def _with_invoice(self, item: OpenInvoice) -> Changes:
        rest = {id: other for id, other in self.invoices.items() if id != item.invoice}
        if item.open or self.whole:
            rest[item.invoice] = item
        return {"invoices": rest}

    def _with_payment(self, payment: Payment) -> Changes:
        rest = {id: other for id, other in self.unapplied.items() if id != payment.payment}
        if payment.amount or self.whole:
            rest[payment.payment] = payment
        return {"unapplied": rest}


def _added_up(wanted: Iterable[Wanted]) -> Iterable[tuple[str, Decimal]]:
    """An invoice that is named twice is wanted for the sum."""
    totals: dict[str, Decimal] = {}
    for each in wanted:
        totals[each.invoice] = totals.get(each.invoice, ZERO) + each.amount
    return totals.items()


def _allocated(payment: Payment, invoice: str, part: Instalment, recovery: Literal[True] | None = None) -> Allocated:
    return Allocated(
        payment=payment.payment,
        invoice=invoice,
        client=payment.client,
        counterparty=payment.counterparty,
        currency=payment.currency,
        due_on=part.due_on,
        amount=part.amount,
        recovery=recovery,
    )


def _offset(payment: Payment, item: OpenInvoice, part: Instalment) -> Offset:
    return Offset(
        payment=payment.payment,
        invoice=item.invoice,
        client=item.client,
        from_counterparty=payment.counterparty,
        counterparty=item.counterparty,
        currency=item.currency,
        due_on=part.due_on,
        amount=part.amount,
    )
