"""What the bus needs of the ledger. infra/postgres/ledger.py implements it; tests/unit has one in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.aggregate import Aggregate, Entry
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Unit:
    """The entries of one command: committed together, under its id, or that of a try of it."""

    command_id: str
    digest: str
    entries: tuple[Entry, ...]
    open_from: datetime | None = None
    """From here on nothing is accepted that takes effect before."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where an event came to stand."""

    position: int | None
    type: str
    stream: str
    version: int
    effective_at: datetime
    claims: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A command that the ledger has applied."""

    digest: str
    position: int
    events: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Tries:
    """How many tries of a command were refused, and when the last one was, by the ledger's clock."""

    refused: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What the ledger has of what was asked for."""

    known: Mapping[str, Known] = field(default_factory=dict)
    claims: frozenset[str] = frozenset()
    tries: Mapping[str, Tries] = field(default_factory=dict)


class Conflict(Exception):
    """A stream has moved on, a claim is taken or a command id is known: what was decided on is not so any more."""


class Unavailable(Exception):
    """The ledger cannot be reached, or could not be for so long that the outcome stays unknown to this process."""


class Ledger(Protocol):
    @property
    def era(self) -> int:
        """Of what is at hand. Another one begins when the book may be another than it was: a server that has come back
        may have lost what was read from it."""

    def submit(self, units: Sequence[Unit], done: Callable[[int | Exception], object], era: int) -> None:
        """Commit all units in one transaction. ``done`` gets the first position, Unavailable, or a Conflict, also if
        they were decided in another ``era``."""

    def look(self, command_ids: Iterable[str], claims: Iterable[str]) -> Found:
        """Those of the commands that have been applied, or refused, and of the claims that are taken."""

    def refuse(self, digests: Mapping[str, str]) -> Found:
        """Have it known that tries of commands are refused, so that no try that has begun is applied any more; unless
        one has been: then it is among what is known. Commands by id."""

    def latest(self) -> datetime:
        """What time it is by the ledger's clock, or a little later, and never earlier."""

    def cached(self, stream: str) -> Aggregate | None:
        """The aggregate as this process last knew it, without asking the database."""

    def fetch(self, streams: Iterable[str]) -> Mapping[str, Aggregate | Refusal]:
        """The aggregates as they are now, blank ones included, in one round trip; and into the cache. A stream of which
        the book lacks events is refused."""

    def recall(self, streams: Iterable[str]) -> Mapping[str, Aggregate | Refusal]:
        """The aggregates with all of their past, replayed from the first event on; not into the cache."""

    def held(self, claim: str) -> str | None:
        """Whose it is, if this process happens to know. What is claimed once stays so."""

    def holders(self, claims: Iterable[str]) -> Mapping[str, str]:
        """The streams whose events brought these claims into the ledger; without those that nobody made."""

    def keep(self, aggregates: Iterable[Aggregate], holders: Mapping[str, str], era: int) -> None:
        """Aggregates as they are after a commit in an era, and the claims that were made in it."""

    def evict(self, streams: Iterable[str]) -> None: ...
