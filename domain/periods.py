"""Periods: once closed, nothing that takes effect in them is accepted any more."""

from datetime import date

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.refusal import Refusal

LEDGER = "ledger"
"""A ledger has one calendar."""


class Closed(Event, type="period.closed"):
    """``through`` is the last day of what is closed."""

    through: date


class Calendar(Aggregate, kind="calendar"):
    closed_through: date | None = None

    def close(self, event: Closed, today: date) -> Closed:
        if event.through >= today:
            raise Refusal("invalid", f"{event.through} is not over yet.", field="through", on=today)
        self.check_open(event.through)
        return event

    def check_open(self, day: date) -> None:
        if self.closed_through and day <= self.closed_through:
            raise Refusal(
                "period_closed",
                f"The book is closed through {self.closed_through}; {day} takes nothing any more.",
                on=day,
                closed_through=self.closed_through,
            )

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Closed(through=through):
                return {"closed_through": through}
        return {}
