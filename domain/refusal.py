"""A rule said no. The command appends nothing, and the caller is told the facts."""

from datetime import date, datetime
from decimal import Decimal

Fact = str | int | Decimal | date | None | list[str]


class Refusal(Exception):
    """A refused command.

    ``code`` is stable and documented; ``facts`` are what the rule looked at (``available``, ``shortfall``, ``on``).
    """

    def __init__(self, code: str, message: str, **facts: Fact) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts


def not_found(kind: str, id: str) -> Refusal:
    return Refusal("not_found", f"There is no {kind} {id}.", kind=kind, id=id)


def already_exists(kind: str, id: str) -> Refusal:
    return Refusal("already_exists", f"The {kind} {id} is there already.", kind=kind, id=id)


def out_of_order(kind: str, id: str, since: datetime, at: datetime) -> Refusal:
    return Refusal(
        "out_of_order",
        f"The {kind} {id} stands since {since.isoformat()}, which is after {at.isoformat()}.",
        kind=kind,
        id=id,
        since=since.isoformat(),
    )
