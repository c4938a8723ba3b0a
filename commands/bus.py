"""The bus has commands decided and committed: once each, on what is so, and together where they belong together.

How it goes is written once, without I/O: a generator that says what it needs and is given it. ``execute`` gives it by
waiting, ``execute_async`` without holding up the event loop.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from commands.batch import Accepted, Batch, Identified, Outcome, Refused
from commands.batch_key import BatchKey
from commands.book import Book, Missing
from commands.command import Command
from commands.ports import Conflict, Found, Ledger, Unit
from commands.returns import returns_to
from commands.turns import Turns
from domain.aggregate import Aggregate
from domain.refusal import Refusal

__all__ = ["Accepted", "Bus", "Mode", "Outcome", "Refused"]

Mode = Literal["independent", "atomic"]

ATTEMPTS = 200
"""How often a command is decided again because others were first. Each time somebody got through, so this many may be
ahead at one stream."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Needs these streams in the cache, the whole past of some, and to know who holds some claims."""

    streams: frozenset[str]
    pasts: frozenset[str]
    claims: frozenset[str]


@dataclass(slots=True)
class Fetched:
    """Held on to for the whole batch, which may touch more streams than the cache keeps."""

    aggregates: dict[str, Aggregate] = field(default_factory=dict)
    holders: dict[str, str | None] = field(default_factory=dict)

    def update(self, more: "Fetched") -> None:
        self.aggregates.update(more.aggregates)
        self.holders.update(more.holders)


@dataclass(frozen=True, slots=True)
class Look:
    """Needs to know which of these commands and claims the ledger has."""

    command_ids: frozenset[str]
    claims: frozenset[str]


@dataclass(frozen=True, slots=True)
class Append:
    """Needs these units committed; the answer is the first position."""

    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """Needs to be the only one of this process that decides again on the stream."""

    stream: str


Need = Fetch | Look | Append | Turn


@dataclass(frozen=True, slots=True)
class Options:
    mode: Mode = "independent"
    actor: str = ""
    dry_run: bool = False
    key: BatchKey | None = None


Answer = Found | Fetched | int

Steps = Generator[Need, Answer, list[Outcome]]


@dataclass(frozen=True, slots=True)
class Bus:
    ledger: Ledger
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    turns: Turns = field(default_factory=Turns)

    def execute(self, commands: Sequence[Command], options: Options = Options()) -> list[Outcome]:
        """The outcomes, in the order of the commands. Atomic: all or none, the refused ones telling why."""
        with closing(self._steps(commands, options)) as steps:
            try:
                need = next(steps)
                while True:
                    try:
                        answer = self._give(need)
                    except Conflict as conflict:
                        need = steps.throw(conflict)
                    else:
                        need = steps.send(answer)
            except StopIteration as end:
                outcomes: list[Outcome] = end.value
                return outcomes

    async def execute_async(self, commands: Sequence[Command], options: Options = Options()) -> list[Outcome]:
        """The same from an event loop, which goes on while the database works."""
        with closing(self._steps(commands, options)) as steps:
            try:
                need = next(steps)
                while True:
                    try:
                        answer = await self._give_async(need)
                    except Conflict as conflict:
                        need = steps.throw(conflict)
                    else:
                        need = steps.send(answer)
            except StopIteration as end:
                outcomes: list[Outcome] = end.value
                return outcomes

    def _give(self, need: Need) -> Answer:
        match need:
            case Append(units=units):
                appended: Future[int] = Future()
                self.ledger.submit(units, lambda result: _settle(appended, result))
                return appended.result()
            case Turn(stream=stream):
                granted: Future[int] = Future()
                self.turns.take(stream, lambda: granted.set_result(0))
                return granted.result()
        return self._read(need)

    async def _give_async(self, need: Need) -> Answer:
        loop = asyncio.get_running_loop()
        match need:
            case Append(units=units):
                appended: asyncio.Future[int] = loop.create_future()
                returns = returns_to(loop)
                self.ledger.submit(units, lambda result: returns.bring(appended, result))
                return await appended
            case Turn(stream=stream):
                granted: asyncio.Future[int] = loop.create_future()
                self.turns.take(stream, lambda: loop.call_soon_threadsafe(self._grant, granted, stream))
                return await self._turn(granted, stream)
        return await asyncio.to_thread(self._read, need)

    async def _turn(self, granted: "asyncio.Future[int]", stream: str) -> int:
        """A turn that is granted to a caller who went away in the meantime is passed on."""
        try:
            return await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.turns.release(stream)
            raise

    def _grant(self, granted: "asyncio.Future[int]", stream: str) -> None:
        if granted.done():
            self.turns.release(stream)
        else:
            granted.set_result(0)

    def _read(self, need: Fetch | Look) -> Answer:
        if isinstance(need, Look):
            return self.ledger.look(need.command_ids, need.claims)
        aggregates = dict(self.ledger.fetch(need.streams)) if need.streams else {}
        if need.pasts:
            aggregates.update(self.ledger.recall(need.pasts))
        holders = self.ledger.holders(need.claims) if need.claims else {}
        return Fetched(aggregates, {claim: holders.get(claim) for claim in need.claims})

    def _steps(self, commands: Sequence[Command], options: Options) -> Steps:
        wanted = [Identified(command.command_id or self.new_id(), command.digest(), command) for command in commands]
        turns: list[str] = []
        try:
            return (yield from self._attempts(wanted, options, turns))
        finally:
            for stream in turns:
                self.turns.release(stream)

    def _attempts(self, wanted: Sequence[Identified], options: Options, turns: list[str]) -> Steps:
        """Decide on what is cached and append; when that was refused or came too late, look and decide again.

        A refusal is given only after a second look: it may have been decided on state that is no longer so, and a
        repeated command is refused by its own first effect.
        """
        looks_first = options.dry_run or options.key
        found = (yield from self._look(_ids(wanted, options.key))) if looks_first else Found()
        for attempt in range(ATTEMPTS):
            sure = attempt > 0 or options.dry_run
            batch = yield from self._decide(wanted, found, options, sure)
            if batch.refused and attempt == 0:
                found = yield from self._look_again(_ids(wanted, options.key), batch, found)
                continue
            if batch.refused and options.mode == "atomic":
                return batch.not_applied()
            if options.dry_run or not batch.units:
                return batch.outcomes(None)
            try:
                first = yield Append(tuple(batch.units.values()))
            except Conflict:
                if not turns and len(batch.changed) == 1:
                    yield Turn(batch.changed[0].stream)
                    turns.append(batch.changed[0].stream)
                found = yield from self._look_again(_ids(wanted, options.key), batch, found)
                continue
            assert isinstance(first, int)
            self._keep(batch)
            return batch.outcomes(first)
        return [Refused(each.id, Refusal("conflict", "Others were first each time; try again.")) for each in wanted]

    def _keep(self, batch: Batch) -> None:
        """A whole one was for this decision only."""
        self.ledger.keep([each for each in batch.changed if not each.whole], batch.claims)
        if whole := [each.stream for each in batch.changed if each.whole]:
            self.ledger.evict(whole)

    def _look_again(self, ids: frozenset[str], batch: Batch, found: Found) -> Generator[Look, Answer, Found]:
        self.ledger.evict(batch.touched)
        return (yield from self._look(ids, frozenset(batch.claims) | found.claims))

    def _look(self, ids: frozenset[str], claims: frozenset[str] = frozenset()) -> Generator[Look, Answer, Found]:
        answer = yield Look(ids, claims)
        assert isinstance(answer, Found)
        return answer

    def _decide(
        self, wanted: Sequence[Identified], found: Found, options: Options, sure: bool
    ) -> Generator[Fetch, Answer, Batch]:
        held, cached = Fetched(), self.ledger.cached
        while True:
            book = Book(
                lambda stream: held.aggregates.get(stream) or cached(stream),
                self.ledger.held,
                self.new_id,
                self.time_zone,
                self.clock(),
                found.claims,
                sure,
                held.holders,
            )
            batch = Batch(options.key)
            missing: list[Missing] = []
            for each in wanted:
                try:
                    batch.take(each, book, found.known, options.actor)
                except Missing as more:
                    missing.append(more)
            if not missing:
                batch.changed, batch.claims = book.changed, book.claims
                return batch
            fetched = yield _fetch(missing)
            assert isinstance(fetched, Fetched)
            held.update(fetched)


def _ids(wanted: Sequence[Identified], key: BatchKey | None) -> frozenset[str]:
    ids = frozenset(each.id for each in wanted)
    return ids | {key.id} if key else ids


def _fetch(missing: Sequence[Missing]) -> Fetch:
    return Fetch(
        frozenset(each.stream for each in missing if each.stream),
        frozenset(each.past for each in missing if each.past),
        frozenset(each.claim for each in missing if each.claim),
    )


def _settle(future: "Future[int]", result: int | Exception) -> None:
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
