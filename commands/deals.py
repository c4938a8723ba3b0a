"""Commands on deals."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from commands.book import Book
from commands.command import Command
from domain.clients import Client
from domain.deals import Deal, Opened
from domain.money import check_amount
from domain.pipelines import Pipeline
from domain.values import Currency, Id, Name, NotNegativeDecimal, PositiveDecimal, Text


class Item(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    product: Id
    quantity: PositiveDecimal
    price: NotNegativeDecimal | None = None


class Open(Command, type="deal.open"):
    """Neither products nor the amount need be known yet; without a stage it enters the first."""

    deal: Id | None = None
    client: Id
    pipeline: Id
    stage: Id | None = None
    amount: NotNegativeDecimal | None = None
    currency: Currency | None = None
    owner: Id | None = None
    source: Name | None = None
    items: Annotated[list[Item], Field(max_length=1000)] = []

    @model_validator(mode="after")
    def _amount_has_a_currency(self) -> Self:
        if (self.amount is None) != (self.currency is None):
            raise ValueError("amount and currency go together")
        return self

    def execute(self, book: Book) -> None:
        book.get(Client, self.client)
        pipeline = book.get(Pipeline, self.pipeline)
        deal = book.begin_new(Deal, self.deal)
        if self.amount is not None and self.currency:
            check_amount(self.amount, self.currency)
        _check_prices(self.items, self.currency)
        event = Opened(
            deal=deal.id,
            client=self.client,
            pipeline=self.pipeline,
            stage=self.stage or pipeline.ids[0],
            amount=self.amount,
            currency=self.currency,
            owner=self.owner,
            source=self.source,
            items=_plain(self.items),
        )
        book.record(deal, deal.open(event, pipeline))


class Estimate(Command, type="deal.estimate"):
    """What the deal is worth, from its effective time on."""

    deal: Id
    amount: NotNegativeDecimal
    currency: Currency

    def execute(self, book: Book) -> None:
        deal = book.get(Deal, self.deal)
        check_amount(self.amount, self.currency)
        book.record(deal, deal.estimate(self.amount, self.currency, at=book.effective_at))


class Specify(Command, type="deal.specify"):
    """All that the deal is about, in place of what was said before."""

    deal: Id
    items: Annotated[list[Item], Field(min_length=1, max_length=1000)]

    def execute(self, book: Book) -> None:
        deal = book.get(Deal, self.deal)
        _check_prices(self.items, deal.currency)
        book.record(deal, deal.specify(_plain(self.items), at=book.effective_at))


class Assign(Command, type="deal.assign"):
    deal: Id
    owner: Id

    def execute(self, book: Book) -> None:
        deal = book.get(Deal, self.deal)
        book.record(deal, deal.assign(self.owner, at=book.effective_at))


class Move(Command, type="deal.move"):
    deal: Id
    stage: Id

    def execute(self, book: Book) -> None:
        deal = book.get(Deal, self.deal)
        book.record(deal, deal.move(self.stage, book.get(Pipeline, deal.pipeline), at=book.effective_at))


class Win(Command, type="deal.win"):
    deal: Id

    def execute(self, book: Book) -> None:
        deal = book.get(Deal, self.deal)
        book.record(deal, deal.win(book.get(Pipeline, deal.pipeline), at=book.effective_at))


class Lose(Command, type="deal.lose"):
    deal: Id
    reason: Name
    note: Text | None = None

    def execute(self, book: Book) -> None:
        deal = book.get(Deal, self.deal)
        book.record(deal, deal.lose(self.reason, self.note, at=book.effective_at))


class Reopen(Command, type="deal.reopen"):
    """A closed deal begins again, at any stage."""

    deal: Id
    stage: Id

    def execute(self, book: Book) -> None:
        deal = book.get(Deal, self.deal)
        book.record(deal, deal.reopen(self.stage, book.get(Pipeline, deal.pipeline), at=book.effective_at))


def _check_prices(items: Sequence[Item], currency: str | None) -> None:
    """Prices are in the deal's currency; until it has one, they are not checked."""
    for item in items:
        if item.price is not None and currency:
            check_amount(item.price, currency, "items.price")


def _plain(items: Sequence[Item]) -> list[dict[str, str]]:
    return [item.model_dump(mode="json", exclude_none=True) for item in items]
