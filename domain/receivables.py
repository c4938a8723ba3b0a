"""Receivables: what clients owe, what they paid, and what was paid for what."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.money import check_amount
from domain.refusal import Refusal, not_found
from domain.values import ZERO


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Instalment(_Frozen):
    due_on: date
    amount: Decimal


class Issued(Event, type="invoice.issued"):
    """``terms`` are the instalments, at least one; they add up to ``amount``."""

    invoice: str
    client: str
    counterparty: str
    amount: Decimal
    currency: str
    issued_on: date
    terms: tuple[Instalment, ...]
    lines: list[dict[str, str]] = []
    contract: str | None = None
    deal: str | None = None


class Received(Event, type="payment.received"):
    payment: str
    client: str
    counterparty: str
    amount: Decimal
    currency: str
    bank_account: str | None = None
    direction: str | None = None


class Allocated(Event, type="payment.allocated"):
    """A part of a payment pays an instalment of an invoice. Payment and invoice belong to one counterparty."""

    payment: str
    invoice: str
    client: str
    counterparty: str
    currency: str
    due_on: date
    amount: Decimal


class OpenInvoice(_Frozen):
    effective_at: datetime
    counterparty: str
    currency: str
    issued_on: date
    open: tuple[Instalment, ...]

    @property
    def amount(self) -> Decimal:
        return sum((part.amount for part in self.open), ZERO)


class Wanted(_Frozen):
    """So much of a payment is to go to this invoice."""

    invoice: str
    amount: Decimal


Allocation = Literal["oldest"] | tuple[Wanted, ...]


class Account(Aggregate, kind="account"):
    """A client's open invoices and unapplied payments. What is settled leaves the state, so that it stays small."""

    invoices: dict[str, OpenInvoice] = {}
    unapplied: dict[str, Received] = {}

    def issue(self, event: Issued) -> Issued:
        check_amount(event.amount, event.currency)
        for part in event.terms:
            check_amount(part.amount, event.currency, "terms.amount")
        if (total := sum((part.amount for part in event.terms), ZERO)) != event.amount:
            raise Refusal("invalid", f"The terms add up to {total}, not to {event.amount}.", field="terms", total=total)
        return event

    def receive(self, event: Received, allocation: Allocation) -> Iterator[Received | Allocated]:
        """The payment, and what it pays: the invoices named, or the oldest by due date and then by issue."""
        check_amount(event.amount, event.currency)
        yield event
        left = event.amount
        for invoice, amount in self._wanted(event, allocation):
            if amount > left:
                raise Refusal(
                    "over_allocation",
                    f"The payment {event.payment} has {left} left, less than the {amount} for {invoice}.",
                    payment=event.payment,
                    invoice=invoice,
                    available=left,
                    shortfall=amount - left,
                )
            left -= amount
            yield from self._pay(event, invoice, amount)

    def effective(self, event: Event, at: datetime) -> datetime:
        """Money that came earlier pays an invoice from the invoice's own time on: before, nothing was owed."""
        return max(at, self.invoices[event.invoice].effective_at) if isinstance(event, Allocated) else at

    def _wanted(self, event: Received, allocation: Allocation) -> Iterator[tuple[str, Decimal]]:
        if allocation == "oldest":
            return self._oldest(event)
        totals: dict[str, Decimal] = {}
        for wanted in allocation:
            totals[wanted.invoice] = totals.get(wanted.invoice, ZERO) + wanted.amount
        return iter(totals.items())

    def _oldest(self, event: Received) -> Iterator[tuple[str, Decimal]]:
        left = event.amount
        parts = [
            (part.due_on, item.issued_on, invoice, part.amount)
            for invoice, item in self.invoices.items()
            if (item.counterparty, item.currency) == (event.counterparty, event.currency)
            for part in item.open
        ]
        pays: dict[str, Decimal] = {}
        for _, _, invoice, amount in sorted(parts):
            paid = min(amount, left)
            left -= paid
            if paid:
                pays[invoice] = pays.get(invoice, ZERO) + paid
        yield from pays.items()

    def _pay(self, event: Received, invoice: str, amount: Decimal) -> Iterator[Allocated]:
        """Early money goes to the earliest instalment."""
        item = self._payable(event, invoice)
        check_amount(amount, event.currency, "allocate.amount")
        if amount > item.amount:
            raise Refusal(
                "over_allocation",
                f"{item.amount} is open on the invoice {invoice}, less than {amount}.",
                invoice=invoice,
                open=item.amount,
                shortfall=amount - item.amount,
            )
        for part in item.open:
            paid = min(part.amount, amount)
            amount -= paid
            if paid:
                yield Allocated(
                    payment=event.payment,
                    invoice=invoice,
                    client=event.client,
                    counterparty=event.counterparty,
                    currency=event.currency,
                    due_on=part.due_on,
                    amount=paid,
                )

    def _payable(self, event: Received, invoice: str) -> OpenInvoice:
        item = self.invoices.get(invoice)
        if item is None:
            raise not_found("open invoice", invoice)
        if item.currency != event.currency:
            raise Refusal("currency_mismatch", f"The invoice {invoice} is in {item.currency}.", currency=item.currency)
        if item.counterparty != event.counterparty:
            raise Refusal(
                "counterparty_mismatch",
                f"The invoice {invoice} is owed by {item.counterparty}; another's money pays it by an offset only.",
                counterparty=item.counterparty,
            )
        return item

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Issued(invoice=invoice, counterparty=counterparty, currency=currency, issued_on=on, terms=terms):
                open = _by_due_date(terms)
                item = OpenInvoice(
                    effective_at=entry.effective_at,
                    counterparty=counterparty,
                    currency=currency,
                    issued_on=on,
                    open=open,
                )
                return self._with_invoice(invoice, item)
            case Received() as event:
                return self._with_unapplied(event)
            case Allocated() as event:
                return self._allocated(event)
        return {}

    def _allocated(self, event: Allocated) -> Changes:
        item = self.invoices[event.invoice]
        open = tuple(
            part.model_copy(update={"amount": part.amount - event.amount}) if part.due_on == event.due_on else part
            for part in item.open
        )
        payment = self.unapplied[event.payment]
        payment = payment.model_copy(update={"amount": payment.amount - event.amount})
        item = item.model_copy(update={"open": open})
        return {**self._with_invoice(event.invoice, item), **self._with_unapplied(payment)}

    def _with_invoice(self, invoice: str, item: OpenInvoice) -> Changes:
        open = tuple(part for part in item.open if part.amount)
        rest = {id: other for id, other in self.invoices.items() if id != invoice}
        if open:
            rest[invoice] = item.model_copy(update={"open": open})
        return {"invoices": rest}

    def _with_unapplied(self, payment: Received) -> Changes:
        rest = {id: other for id, other in self.unapplied.items() if id != payment.payment}
        if payment.amount:
            rest[payment.payment] = payment
        return {"unapplied": rest}


def _by_due_date(terms: tuple[Instalment, ...]) -> tuple[Instalment, ...]:
    """The earliest first; what is due on the same day is one item."""
    amounts: dict[date, Decimal] = {}
    for part in terms:
        amounts[part.due_on] = amounts.get(part.due_on, ZERO) + part.amount
    return tuple(Instalment(due_on=due_on, amount=amount) for due_on, amount in sorted(amounts.items()))
