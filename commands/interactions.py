"""Commands on interactions."""

from typing import Annotated, Literal

from pydantic import Field

from commands.book import Book
from commands.command import Command
from domain.clients import Client
from domain.deals import Deal
from domain.interactions import Interaction, Logged
from domain.values import Id, Name, Text


class Log(Command, type="interaction.log"):
    interaction: Id | None = None
    client: Id
    kind: Literal["meeting", "call", "sms", "email", "chat", "other"]
    direction: Literal["inbound", "outbound"] | None = None
    subject: Name | None = None
    body: Text | None = None
    participants: Annotated[list[Name], Field(max_length=200)] = []
    deal: Id | None = None
    source: Name | None = None
    duration_s: Annotated[int, Field(ge=0, le=10**7)] | None = None
    recording_url: Name | None = None
    thread: Id | None = None

    def execute(self, book: Book) -> None:
        book.get(Client, self.client)
        if self.deal:
            book.get(Deal, self.deal)
        interaction = book.begin_new(Interaction, self.interaction)
        event = Logged(
            interaction=interaction.id,
            client=self.client,
            kind=self.kind,
            direction=self.direction,
            subject=self.subject,
            body=self.body,
            participants=self.participants,
            deal=self.deal,
            source=self.source,
            duration_s=self.duration_s,
            recording_url=self.recording_url,
            thread=self.thread,
        )
        book.record(interaction, interaction.log(event))
