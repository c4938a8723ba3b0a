"""Commands on what clients owe and pay."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from commands.book import Book
from commands.command import Command
from domain.clients import Client
from domain.deals import Deal
from domain.money import check_amount
from domain.receivables import Account, Allocation, Instalment, Issued, Received, Wanted
from domain.receivables.events import Dated
from domain.refusal import not_found
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


def _form(value: object) -> str | None:
    return "[list]" if isinstance(value, list) else "[oldest]" if value == "oldest" else None


Allocated = Annotated[
    Annotated[Literal["oldest"], Tag("[oldest]")] | Annotated[list[Pays], Field(max_length=1000), Tag("[list]")],
    Discriminator(_form, "in_words", 'must be "oldest" or a list'),
]


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
        for line in self.lines:
            check_amount(line.amount, self.currency, "lines.amount")
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
        book.record(account, account.issue(event, book.on), claims=f"invoice:{event.invoice}")


class Credit(Command, type="invoice.credit"):
    """A credit note: it takes off what is open, the earliest instalment first."""

    invoice: Id
    amount: PositiveDecimal
    reason: Name
    credit_note: Id | None = None

    def execute(self, book: Book) -> None:
        account = _invoiced(book, self.invoice, self.amount)
        credit_note = self.credit_note or book.new_id()
        invoice = account.invoice(self.invoice)
        event, at = invoice.credit(credit_note, self.amount, self.reason, book.effective_at)
        book.record(account, event, claims=f"credit_note:{credit_note}", effective_at=at)


class WriteOff(Command, type="invoice.write_off"):
    """Bad debt is given up, the earliest instalment first. Money that comes for it later is income."""

    invoice: Id
    amount: PositiveDecimal
    reason: Name

    def execute(self, book: Book) -> None:
        account = _invoiced(book, self.invoice, self.amount)
        _record(book, account, [account.invoice(self.invoice).write_off(self.amount, self.reason, book.effective_at)])


class Cancel(Command, type="invoice.cancel"):
    """An invoice that should not have been is undone as a whole; nothing may have been paid or credited on it."""

    invoice: Id
    reason: Name

    def execute(self, book: Book) -> None:
        account = _recalled(book, "invoice", self.invoice)
        _record(book, account, [account.invoice(self.invoice).cancel(self.reason, book.effective_at)])


class Receive(Command, type="payment.receive"):
    """What is not allocated stays on the client's account as an advance."""

    payment: Id | None = None
    client: Id
    counterparty: Id | None = None
    amount: PositiveDecimal
    currency: Currency
    bank_account: Id | None = None
    direction: Id | None = None
    allocate: Allocated = []

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
        allocation = self._allocation()
        if allocation != "oldest":
            account = _reaching(book, account, allocation)
        [received, *allocated] = account.receive(event, allocation, book.effective_at)
        account = book.record(account, received.event, claims=f"payment:{event.payment}", effective_at=received.at)
        _record(book, account, allocated)

    def _allocation(self) -> Allocation:
        if self.allocate == "oldest":
            return "oldest"
        return tuple(Wanted(invoice=wanted.invoice, amount=wanted.amount) for wanted in self.allocate)


class Allocate(Command, type="payment.allocate"):
    """To what is open of the invoice, the earliest instalment first; then to what was written off of it."""

    payment: Id
    invoice: Id
    amount: PositiveDecimal

    def execute(self, book: Book) -> None:
        account = book.owner(Account, "payment", self.payment)
        if self.payment not in account.unapplied:
            account = book.recall(Account, account.id)
        account = _reaching(book, account, [Wanted(invoice=self.invoice, amount=self.amount)])
        payment = account.payment(self.payment)
        _record(book, account, account.allocate(payment, self.invoice, self.amount, book.effective_at))


class Deallocate(Command, type="payment.deallocate"):
    """The money is unapplied again and the debt open. An offset and a recovery are undone by it, too."""

    payment: Id
    invoice: Id
    amount: PositiveDecimal

    def execute(self, book: Book) -> None:
        account = _recalled(book, "payment", self.payment)
        payment = account.payment(self.payment)
        account.invoice(self.invoice)
        _record(book, account, payment.deallocate(self.invoice, self.amount, book.effective_at))


class Bounce(Command, type="payment.bounce"):
    """The bank took the payment back: from this day on, what it paid is open again."""

    payment: Id
    reason: Name | None = None

    def execute(self, book: Book) -> None:
        account = _recalled(book, "payment", self.payment)
        _record(book, account, account.payment(self.payment).bounce(self.reason, book.effective_at))


class Refund(Command, type="payment.refund"):
    """Out of what is unapplied."""

    payment: Id
    amount: PositiveDecimal

    def execute(self, book: Book) -> None:
        account = _recalled(book, "payment", self.payment)
        _record(book, account, [account.payment(self.payment).refund(self.amount, book.effective_at)])


class Offset(Command, type="receivable.offset"):
    """Unapplied money of one counterparty, the oldest payment first, pays another's debt. The client's total stays."""

    client: Id
    from_counterparty: Id
    invoice: Id
    amount: PositiveDecimal

    def execute(self, book: Book) -> None:
        book.get(Client, self.client)
        account = book.find(Account, self.client)
        account = _reaching(book, account, [Wanted(invoice=self.invoice, amount=self.amount)])
        _record(book, account, account.offset(self.from_counterparty, self.invoice, self.amount, book.effective_at))


def _recalled(book: Book, kind: str, id: str) -> Account:
    """The account that a document is on, with all of its past."""
    return book.recall(Account, book.owner(Account, kind, id).id)


def _invoiced(book: Book, invoice: str, amount: Decimal) -> Account:
    account = book.owner(Account, "invoice", invoice)
    return _reaching(book, account, [Wanted(invoice=invoice, amount=amount)])


def _reaching(book: Book, account: Account, wanted: Sequence[Wanted]) -> Account:
    """The account, with all of its past if more is wanted of an invoice than its state knows to be open."""
    beyond = [each.invoice for each in wanted if not account.has_open(each.invoice, each.amount)]
    for invoice in beyond:
        if book.owner(Account, "invoice", invoice).id != account.id:
            raise not_found("invoice", invoice)
    return book.recall(Account, account.id) if beyond else account


def _record(book: Book, account: Account, decided: Iterable[Dated]) -> None:
    for event, at in decided:
        account = book.record(account, event, effective_at=at)
