"""A payment: what is left of it, what it pays, and how it goes back."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Self

from domain.money import check_amount
from domain.receivables.events import Allocated, Bounced, Dated, Deallocated, Frozen, Offset, Received, Refunded
from domain.refusal import Refusal, out_of_order
from domain.values import ZERO


class Applied(Frozen):
    """So much of a payment pays an instalment, from a time on."""

    invoice: str
    counterparty: str
    issued_on: date
    due_on: date
    amount: Decimal
    at: datetime
    recovery: Literal[True] | None = None

    @classmethod
    def of(cls, event: Allocated | Offset, issued_on: date, at: datetime, recovery: Literal[True] | None) -> Self:
        return cls(
            invoice=event.invoice,
            counterparty=event.counterparty,
            issued_on=issued_on,
            due_on=event.due_on,
            amount=event.amount,
            at=at,
            recovery=recovery,
        )


class Payment(Frozen):
    """``amount`` is what is not applied. What comes after ``since`` is to be relied on in a whole account only.

    ``since`` is from when on there is so much left of it: its own time, or when it was last taken back from an invoice.
    """

    payment: str
    client: str
    counterparty: str
    currency: str
    amount: Decimal
    received_at: datetime
    since: datetime
    received: Received | None = None
    refunded: Decimal = ZERO
    bounced: bool = False
    applied: tuple[Applied, ...] = ()
    freed_at: datetime | None = None
    """When the last of what was taken back counts from."""

    @classmethod
    def of(cls, event: Received, at: datetime) -> Self:
        return cls(
            payment=event.payment,
            client=event.client,
            counterparty=event.counterparty,
            currency=event.currency,
            amount=event.amount,
            received_at=at,
            since=at,
            received=event,
        )

    @classmethod
    def returning(cls, event: Deallocated, at: datetime) -> Self:
        """One that had left the state when all of it was applied, with nothing left so far."""
        return cls(
            payment=event.payment,
            client=event.client,
            counterparty=event.from_counterparty,
            currency=event.currency,
            amount=ZERO,
            received_at=event.received_at,
            since=at,
        )

    def check_left(self, amount: Decimal, left: Decimal, invoice: str) -> None:
        if amount > left:
            raise Refusal(
                "over_allocation",
                f"The payment {self.payment} has {left} left, less than the {amount} for {invoice}.",
                payment=self.payment,
                invoice=invoice,
                available=left,
                shortfall=amount - left,
            )

    def refund(self, amount: Decimal, at: datetime) -> Dated:
        assert self.received
        check_amount(amount, self.currency)
        self._check_order(at)
        if amount > self.amount:
            raise Refusal(
                "exceeds_unapplied",
                f"The payment {self.payment} has {self.amount} left, less than {amount}.",
                payment=self.payment,
                available=self.amount,
                shortfall=amount - self.amount,
            )
        event = Refunded(
            payment=self.payment,
            client=self.client,
            counterparty=self.counterparty,
            currency=self.currency,
            amount=amount,
            bank_account=self.received.bank_account,
            direction=self.received.direction,
        )
        return Dated(event, max(at, self.since))

    def bounce(self, reason: str | None, at: datetime) -> Iterator[Dated]:
        """What is refunded stays refunded; all else is undone from the day it bounced, and not before.

        Nor before the last of what was freed was free: until then it paid an invoice.
        """
        assert self.received
        if self.bounced:
            raise Refusal("payment_bounced", f"The payment {self.payment} has bounced already.", payment=self.payment)
        self._check_order(at)
        if self.freed_at and at < self.freed_at:
            raise out_of_order("payment", self.payment, self.freed_at, at)
        for applied in reversed(self.applied):
            yield Dated(self._undone(applied, applied.amount), max(at, applied.at))
        event = Bounced(
            payment=self.payment,
            client=self.client,
            counterparty=self.counterparty,
            currency=self.currency,
            amount=self.received.amount - self.refunded,
            bank_account=self.received.bank_account,
            direction=self.received.direction,
            reason=reason,
        )
        yield Dated(event, at)

    def deallocate(self, invoice: str, amount: Decimal, at: datetime) -> Iterator[Dated]:
        """What was allocated last is taken back first."""
        check_amount(amount, self.currency)
        those = [applied for applied in self.applied if applied.invoice == invoice]
        if amount > (allocated := sum((applied.amount for applied in those), ZERO)):
            raise Refusal(
                "over_allocation",
                f"{allocated} of the payment {self.payment} is allocated to {invoice}, less than {amount}.",
                payment=self.payment,
                invoice=invoice,
                allocated=allocated,
                shortfall=amount - allocated,
            )
        for applied in reversed(those):
            if taken := min(applied.amount, amount):
                yield Dated(self._undone(applied, taken), max(at, applied.at))
                amount -= taken

    def _undone(self, applied: Applied, amount: Decimal) -> Deallocated:
        return Deallocated(
            payment=self.payment,
            invoice=applied.invoice,
            client=self.client,
            counterparty=applied.counterparty,
            from_counterparty=self.counterparty,
            currency=self.currency,
            due_on=applied.due_on,
            amount=amount,
            issued_on=applied.issued_on,
            received_at=self.received_at,
            recovery=applied.recovery,
        )

    def _check_order(self, at: datetime) -> None:
        if at < self.received_at:
            raise Refusal(
                "out_of_order",
                f"The payment {self.payment} was received at {self.received_at.isoformat()}, after {at.isoformat()}.",
                payment=self.payment,
                received_at=self.received_at.isoformat(),
            )

    def less(self, amount: Decimal) -> Self:
        return self.model_copy(update={"amount": self.amount - amount})

    def more(self, amount: Decimal, at: datetime) -> Self:
        """What was nothing is so much from then on, whatever was before."""
        since = max(self.since, at) if self.amount else at
        freed_at = max(self.freed_at or at, at)
        return self.model_copy(update={"amount": self.amount + amount, "since": since, "freed_at": freed_at})

    def applying(self, applied: Applied) -> Self:
        return self.model_copy(update={"applied": (*self.applied, applied)})

    def freeing(self, event: Deallocated) -> Self:
        """The same, less what is undone: of the last ones on this instalment first."""
        left, amount = [], event.amount
        key = event.invoice, event.due_on, event.recovery
        for applied in reversed(self.applied):
            taken = ZERO
            if (applied.invoice, applied.due_on, applied.recovery) == key:
                taken = min(applied.amount, amount)
                amount -= taken
            if rest := applied.amount - taken:
                left.append(applied.model_copy(update={"amount": rest}))
        return self.model_copy(update={"applied": tuple(reversed(left))})
