"""A counterparty on an account: when it may be invoiced. It is added, retired and added again in order of time."""

from datetime import date, datetime
from typing import NamedTuple, Self

from domain.receivables.events import Frozen
from domain.refusal import Refusal, already_exists, out_of_order


class Gone(NamedTuple):
    """Days on which it was retired: the first one, and the one on which it was back."""

    first: date
    back: date


class Counterparty(Frozen):
    """``since`` is when it was last added or retired."""

    counterparty: str
    since: datetime
    retired_on: date | None = None
    gone: tuple[Gone, ...] = ()

    def check_addable(self, at: datetime) -> None:
        if self.retired_on is None:
            raise already_exists("counterparty", self.counterparty)
        self._check_order(at)

    def check_retirable(self, at: datetime) -> None:
        if self.retired_on:
            raise self._retired(self.retired_on)
        self._check_order(at)

    def check_active(self, on: date) -> None:
        for first, back in (*self.gone, Gone(self.retired_on or date.max, date.max)):
            if first <= on < back:
                raise self._retired(first)

    def retired(self, on: date, at: datetime) -> Self:
        return self.model_copy(update={"retired_on": on, "since": at})

    def back(self, on: date, at: datetime) -> Self:
        gone = (*self.gone, Gone(self.retired_on, on)) if self.retired_on else self.gone
        return self.model_copy(update={"retired_on": None, "since": at, "gone": gone})

    def _check_order(self, at: datetime) -> None:
        if at < self.since:
            raise out_of_order("counterparty", self.counterparty, self.since, at)

    def _retired(self, on: date) -> Refusal:
        message = f"{self.counterparty} is retired since {on}."
        return Refusal("counterparty_retired", message, counterparty=self.counterparty, on=on)
