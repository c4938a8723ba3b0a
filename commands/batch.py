"""What becomes of the commands of one batch, before anything is committed and after."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from commands.batch_key import BatchKey
from commands.book import Book
from commands.command import Command
from commands.ports import Found, Known, Unit, Written
from domain.aggregate import Aggregate, Entry
from domain.refusal import Refusal

TRY = "\x1e"
"""Between the id of a command and the number of a try of it. Ids hold no control characters."""


NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Accepted:
    """``position`` is that of the command's last event; None in a dry run."""

    command_id: str
    position: int | None
    events: tuple[Written, ...]
    made: Mapping[str, str] = field(default_factory=dict)
    """The ids that the caller left to us, by what they are of."""
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    command_id: str
    refusal: Refusal


Outcome = Accepted | Refused


@dataclass(frozen=True, slots=True)
class Identified:
    """A command with the id and the digest by which a repeat is known."""

    id: str
    digest: str
    command: Command


@dataclass(slots=True)
class Batch:
    """``decided`` has one item a command: what is to be appended, what was applied before, or why not.

    A command that repeats an earlier one of the batch has that one's unit again.
    """

    key: BatchKey | None = None
    found: Found = field(default_factory=Found)
    began: datetime = NEVER
    """What was refused since then was refused while this try was under way."""
    final: Mapping[str, Refusal] = field(default_factory=dict)
    """What this try is known to be refused for, whatever becomes of the rest of its batch."""
    decided: list[tuple[Identified, Unit | Known | Refusal]] = field(default_factory=list)
    units: dict[str, Unit] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    changed: list[Aggregate] = field(default_factory=list)
    claims: Mapping[str, str] = field(default_factory=dict)
    """Those that are made, and by which streams."""

    @property
    def refused(self) -> bool:
        return any(isinstance(what, Refusal) for _, what in self.decided)

    def take(self, wanted: Identified, book: Book, actor: str) -> None:
        try:
            self.decided.append((wanted, self._decide(wanted, book, actor)))
        except Refusal as refusal:
            self.decided.append((wanted, refusal.with_traceback(None)))  # whose frames hold the whole request
        finally:
            self.touched |= book.touched

    def _decide(self, wanted: Identified, book: Book, actor: str) -> Unit | Known:
        known = self.found.known
        if self.key and (first := known.get(self.key.id)) and first.digest != self.key.digest:
            raise Refusal("command_id_reused", f"The Idempotency-Key {self.key.key} was used for another batch.")
        if before := known.get(wanted.id) or self.units.get(wanted.id):
            if before.digest != wanted.digest:
                raise Refusal("command_id_reused", f"The command id {wanted.id} was used for another request.")
            return before
        if refusal := self.final.get(wanted.id):
            raise refusal
        tries = self.found.tries.get(wanted.id)
        if tries and tries.last_at >= self.began:
            raise Refusal("conflict", f"Another try of the command {wanted.id} was refused meanwhile; try again.")
        command = wanted.command
        book.begin(command.effective_at, command.expected_version, _metadata(wanted, actor))
        command.execute(book)
        if self.key and self.key.id not in known:
            self.units.setdefault(self.key.id, Unit(self.key.id, self.key.digest, ()))
        id = f"{wanted.id}{TRY}{tries.refused}" if tries else wanted.id
        self.units[wanted.id] = unit = Unit(id, wanted.digest, book.commit(), book.open_from)
        return unit

    def outcomes(self, first: int | None) -> list[Outcome]:
        """The answers, the first entry standing at position ``first``; None: nothing was appended."""
        return list(self._outcomes(first))

    def _outcomes(self, first: int | None) -> Iterator[Outcome]:
        answered: dict[str, Accepted] = {}
        for each, what in self.decided:
            match what:
                case Refusal():
                    yield Refused(each.id, what)
                case Known(position=position, events=events):
                    yield Accepted(each.id, position, events, _made(each.command, events), replayed=True)
                case Unit():
                    if before := answered.get(each.id):
                        yield replace(before, replayed=True)
                        continue
                    events = _written(what, first)
                    first = None if first is None else first + len(events)
                    last = None if first is None else first - 1
                    answered[each.id] = Accepted(each.id, last, events, _made(each.command, events))
                    yield answered[each.id]

    def not_applied(self) -> list[Outcome]:
        """The answers of an atomic batch that a refusal keeps out as a whole."""
        reason = Refusal("batch_refused", "Another command of the atomic batch was refused.")
        return [Refused(each.id, what if isinstance(what, Refusal) else reason) for each, what in self.decided]


def _metadata(wanted: Identified, actor: str) -> dict[str, str]:
    command = wanted.command
    facts = {
        "command_id": wanted.id,
        "actor": actor,
        "correlation_id": command.correlation_id,
        "reason": command.reason,
    }
    return {name: fact for name, fact in facts.items() if fact}


def written(position: int | None, entry: Entry) -> Written:
    event = entry.event
    return Written(
        position, event.type, entry.originator_id, entry.originator_version, entry.effective_at, entry.claims
    )


def _written(unit: Unit, first: int | None) -> tuple[Written, ...]:
    return tuple(written(None if first is None else first + index, entry) for index, entry in enumerate(unit.entries))


def _made(command: Command, events: Iterable[Written]) -> Mapping[str, str]:
    """What the events began or claimed, and the command has not named."""
    names = [event.stream.partition("-") for event in events if event.version == 1]
    names += [event.claims.partition(":") for event in events if event.claims]
    return {kind: id for kind, _, id in names if getattr(command, kind, "") is None}
