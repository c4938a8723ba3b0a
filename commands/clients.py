"""Commands on clients and the legal entities they trade as."""

from typing import Annotated

from pydantic import Field

from commands.book import Book
from commands.command import Command
from domain.clients import Changed, Client, CounterpartyAdded, CreditLimitSet, Registered
from domain.receivables import Account
from domain.refusal import Refusal
from domain.values import AttributeChanges, Attributes, Currency, Id, Name, NotNegativeDecimal


class Register(Command, type="client.register"):
    client: Id | None = None
    name: Name
    kind: Id | None = None
    source: Name | None = None
    attributes: Attributes = {}
    contacts: Attributes = {}

    def execute(self, book: Book) -> None:
        client = book.begin_new(Client, self.client)
        event = Registered(
            client=client.id,
            name=self.name,
            kind=self.kind,
            source=self.source,
            attributes=self.attributes,
            contacts=self.contacts,
        )
        book.record(client, client.register(event))


class Change(Command, type="client.change"):
    """What is not given stays as it is; an attribute or contact that is given as null is taken away."""

    client: Id
    name: Name | None = None
    attributes: AttributeChanges = {}
    contacts: AttributeChanges = {}
    source: Name | None = None

    def execute(self, book: Book) -> None:
        client = book.get(Client, self.client)
        if not (self.name or self.attributes or self.contacts or self.source):
            raise Refusal("invalid", "Nothing is to change.", field="name")
        event = Changed(
            client=self.client,
            name=self.name,
            source=self.source,
            attributes=self.attributes,
            contacts=self.contacts,
        )
        book.record(client, event)


class AddCounterparty(Command, type="client.add_counterparty"):
    """A legal entity that the client trades as. One that was retired may be added again."""

    client: Id
    counterparty: Id
    name: Name | None = None
    tax_id: Annotated[Name | None, Field(description="As its authority writes it")] = None

    def execute(self, book: Book) -> None:
        book.get(Client, self.client)
        account = book.find(Account, self.client)
        event = CounterpartyAdded(
            client=self.client, counterparty=self.counterparty, name=self.name, tax_id=self.tax_id
        )
        book.record(account, account.add_counterparty(event, book.effective_at))


class RetireCounterparty(Command, type="client.retire_counterparty"):
    """From the effective day on it is invoiced no more; what it owes stays, and it may still pay.

    Invoices of later days that are entered already stand.
    """

    client: Id
    counterparty: Id

    def execute(self, book: Book) -> None:
        book.get(Client, self.client)
        account = book.find(Account, self.client)
        book.record(account, account.retire_counterparty(self.counterparty, book.on, book.effective_at))


class SetCreditLimit(Command, type="client.set_credit_limit"):
    """What a client may owe over all its counterparties in this currency; other currencies are not limited."""

    client: Id
    amount: NotNegativeDecimal
    currency: Currency

    def execute(self, book: Book) -> None:
        book.get(Client, self.client)
        account = book.find(Account, self.client)
        event = CreditLimitSet(client=self.client, amount=self.amount, currency=self.currency)
        book.record(account, account.limit_credit(event, book.effective_at, book.now))
