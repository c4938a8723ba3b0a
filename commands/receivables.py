"""Commands on what clients owe and pay."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from commands.book import Book
from commands.command import Command
from domain.clients import Client
from domain.deals import Deal
from domain.receivables import Account, Allocation, Instalment, Issued, Received, Wanted
from domain.values import Currency, Day, Id, Name, NotNegativeDecimal, PositiveDecimal


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Term(_Part):
    due_on: Day
    amount: PositiveDecimal


class Line(_Part):
    product: Id | None = None
    text: Name | None = None
    quantity: PositiveDecimal | None = None
    amount: NotNegativeDecimal


class Pays(_Part):
    invoice: Id
    amount: PositiveDecimal


class Issue(Command, type="invoice.issue"):
    """Without a counterparty the client stands for itself; without terms the whole is due on ``due_on``."""

    invoice: Id | None = None
    client: Id
    counterparty: Id | None = None
    amount: NotNegativeDecimal
    currency: Currency
    due_on: Day
    issued_on: Day | None = None
    terms: Annotated[list[Term], Field(max_length=400)] = []
    lines: Annotated[list[Line], Field(max_length=1000)] = []
    contract: Id | None = None
    deal: Id | None = None

    def execute(self, book: Book) -> None:
        book.get(Client, self.client)
        if self.deal:
            book.get(Deal, self.deal)
        account = book.find(Account, self.client)
        terms = tuple(Instalment(due_on=term.due_on, amount=term.amount) for term in self.terms)
        event = Issued(
            invoice=self.invoice or book.new_id(),
            client=self.client,
            counterparty=self.counterparty or self.client,
            amount=self.amount,
            currency=self.currency,
            issued_on=self.issued_on or book.on,
            terms=terms or (Instalment(due_on=self.due_on, amount=self.amount),),
            lines=[line.model_dump(mode="json", exclude_none=True) for line in self.lines],
            contract=self.contract,
            deal=self.deal,
        )
        book.record(account, account.issue(event), claims=f"invoice:{event.invoice}")


class Receive(Command, type="payment.receive"):
    """What is not allocated stays on the client's account as an advance."""

    payment: Id | None = None
    client: Id
    counterparty: Id | None = None
    amount: PositiveDecimal
    currency: Currency
    bank_account: Id | None = None
    direction: Id | None = None
    allocate: Literal["oldest"] | Annotated[list[Pays], Field(max_length=1000)] = []

    def execute(self, book: Book) -> None:
        book.get(Client, self.client)
        account = book.find(Account, self.client)
        event = Received(
            payment=self.payment or book.new_id(),
            client=self.client,
            counterparty=self.counterparty or self.client,
            amount=self.amount,
            currency=self.currency,
            bank_account=self.bank_account,
            direction=self.direction,
        )
        for happened in account.receive(event, self._allocation()):
            claims = f"payment:{event.payment}" if happened is event else ""
            at = account.effective(happened, book.effective_at)
            account = book.record(account, happened, claims=claims, effective_at=at)

    def _allocation(self) -> Allocation:
        if self.allocate == "oldest":
            return "oldest"
        return tuple(Wanted(invoice=wanted.invoice, amount=wanted.amount) for wanted in self.allocate)
