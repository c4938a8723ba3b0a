"""An open invoice: what of it is paid, credited, written off or cancelled, and never more than is open."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import NoReturn, Self

from domain.money import check_amount
from domain.receivables.events import (
    Cancelled,
    Credited,
    Dated,
    Deallocated,
    Frozen,
    Instalment,
    Instalments,
    Issued,
    WrittenOff,
    by_due_date,
)
from domain.refusal import Refusal
from domain.values import ZERO


class Lost(Frozen):
    """So much of an instalment is written off and has not been recovered."""

    due_on: date
    amount: Decimal
    at: datetime


class OpenInvoice(Frozen):
    """``issued``, ``cancelled`` and ``lost`` are to be relied on in a whole account only.

    ``since`` is from when on so much is open: its own time, or when money was last taken back from it. What makes it
    less counts from then on at the earliest, so that on no day it is below nothing.
    """

    invoice: str
    client: str
    counterparty: str
    currency: str
    issued_on: date
    since: datetime
    open: Instalments
    issued: Decimal = ZERO
    cancelled: bool = False
    lost: tuple[Lost, ...] = ()

    @classmethod
    def of(cls, event: Issued, at: datetime) -> Self:
        return cls(
            invoice=event.invoice,
            client=event.client,
            counterparty=event.counterparty,
            currency=event.currency,
            issued_on=event.issued_on,
            since=at,
            open=by_due_date(event.terms),
            issued=event.amount,
        )

    @classmethod
    def returning(cls, event: Deallocated, at: datetime) -> Self:
        """One that had left the state when it was settled, with nothing open so far."""
        return cls(
            invoice=event.invoice,
            client=event.client,
            counterparty=event.counterparty,
            currency=event.currency,
            issued_on=event.issued_on,
            since=at,
            open=(),
        )

    @property
    def amount(self) -> Decimal:
        return sum((part.amount for part in self.open), ZERO)

    @property
    def recoverable(self) -> Decimal:
        return sum((part.amount for part in self.lost), ZERO)

    def split(self, amount: Decimal) -> Iterator[Instalment]:
        """Early money goes to the earliest instalment."""
        for part in self.open:
            if taken := min(part.amount, amount):
                yield Instalment(due_on=part.due_on, amount=taken)
                amount -= taken

    def recover(self, amount: Decimal) -> Iterator[Lost]:
        for part in self.lost:
            if taken := min(part.amount, amount):
                yield part.model_copy(update={"amount": taken})
                amount -= taken

    def credit(self, credit_note: str, amount: Decimal, reason: str, at: datetime) -> Dated:
        event = Credited(
            invoice=self.invoice,
            credit_note=credit_note,
            client=self.client,
            counterparty=self.counterparty,
            currency=self.currency,
            amount=amount,
            parts=self._off(amount),
            reason=reason,
        )
        return Dated(event, max(at, self.since))

    def write_off(self, amount: Decimal, reason: str, at: datetime) -> Dated:
        event = WrittenOff(
            invoice=self.invoice,
            client=self.client,
            counterparty=self.counterparty,
            currency=self.currency,
            amount=amount,
            parts=self._off(amount),
            reason=reason,
        )
        return Dated(event, max(at, self.since))

    def cancel(self, reason: str, at: datetime) -> Dated:
        if self.cancelled:
            raise Refusal("invoice_cancelled", f"The invoice {self.invoice} is cancelled already.")
        if allocated := self.issued - self.amount:
            raise Refusal(
                "has_allocations",
                f"{allocated} of the invoice {self.invoice} is paid, credited or written off.",
                invoice=self.invoice,
                allocated=allocated,
            )
        event = Cancelled(
            invoice=self.invoice,
            client=self.client,
            counterparty=self.counterparty,
            currency=self.currency,
            amount=self.amount,
            parts=self.open,
            reason=reason,
        )
        return Dated(event, max(at, self.since))

    def refuse_more_than_open(self, amount: Decimal, code: str) -> NoReturn:
        raise Refusal(
            code,
            f"{self.amount} is open on the invoice {self.invoice}, less than {amount}.",
            invoice=self.invoice,
            open=self.amount,
            shortfall=amount - self.amount,
        )

    def refuse_more_than_payable(self, amount: Decimal) -> NoReturn:
        payable = self.amount + self.recoverable
        raise Refusal(
            "over_allocation",
            f"{self.amount} is open, {self.recoverable} written off on the invoice {self.invoice}, less than {amount}.",
            invoice=self.invoice,
            open=self.amount,
            recoverable=self.recoverable,
            shortfall=amount - payable,
        )

    def _off(self, amount: Decimal) -> Instalments:
        check_amount(amount, self.currency)
        if amount > self.amount:
            self.refuse_more_than_open(amount, "exceeds_open")
        return tuple(self.split(amount))

    def less(self, parts: Iterable[Instalment]) -> Self:
        minus = (Instalment(due_on=part.due_on, amount=-part.amount) for part in parts)
        return self.model_copy(update={"open": by_due_date(self.open, minus)})

    def more(self, due_on: date, amount: Decimal, at: datetime) -> Self:
        """What was settled is open from then on, whatever was before."""
        open = by_due_date(self.open, [Instalment(due_on=due_on, amount=amount)])
        since = max(self.since, at) if self.open else at
        return self.model_copy(update={"open": open, "since": since})

    def losing(self, parts: Iterable[Instalment], at: datetime) -> Self:
        lost = (Lost(due_on=part.due_on, amount=part.amount, at=at) for part in parts)
        return self.less(parts).model_copy(update={"lost": (*self.lost, *lost)})

    def recovering(self, due_on: date, amount: Decimal, at: datetime) -> Self:
        """``amount`` of what was lost has come after all; a negative one has gone again."""
        lost: list[Lost] = []
        for part in self.lost:
            taken = min(part.amount, amount) if part.due_on == due_on else ZERO
            amount -= taken
            since = max(part.at, at) if taken < 0 else part.at
            lost.append(part.model_copy(update={"amount": part.amount - taken, "at": since}))
        return self.model_copy(update={"lost": tuple(lost)})
