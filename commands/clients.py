"""Commands on clients."""

from commands.book import Book
from commands.command import Command
from domain.clients import Client, Registered
from domain.values import Attributes, Id, Name


class Register(Command, type="client.register"):
    client: Id | None = None
    name: Name
    kind: Id | None = None
    source: Name | None = None
    attributes: Attributes = {}
    contacts: Attributes = {}

    def execute(self, book: Book) -> None:
        client = book.find(Client, self.client or book.new_id())
        event = Registered(
            client=client.id,
            name=self.name,
            kind=self.kind,
            source=self.source,
            attributes=self.attributes,
            contacts=self.contacts,
        )
        book.record(client, client.register(event))
