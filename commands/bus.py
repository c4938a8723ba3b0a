"""The bus has commands decided and committed: once each, on what is so, and together where they belong together.

How it goes is written once, without I/O: a generator that says what it needs and is given it. ``execute`` gives it by
waiting, ``execute_async`` without holding up the event loop.
"""

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
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

    aggregates: dict[str, Aggregate | Refusal] = field(default_factory=dict)
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
    """Needs these units committed, decided on what was at hand in an era; the answer is the first position."""

    units: tuple[Unit, ...]
    era: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Needs to be the only one of this process at it: a stream on which it decides again, a command that it tries."""

    name: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Needs it known that these commands are refused, by id with their digests; and what the ledger has of them."""

    digests: Mapping[str, str]


Need = Fetch | Look | Append | Turn | Refuse


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
            case Append(units=units, era=era):
                appended: Future[int] = Future()
                self.ledger.submit(units, lambda result: _settle(appended, result), era)
                return appended.result()
            case Turn(name=name):
                granted: Future[int] = Future()
                self.turns.take(name, lambda: granted.set_result(0))
                return granted.result()
        return self._read(need)

    async def _give_async(self, need: Need) -> Answer:
        loop = asyncio.get_running_loop()
        match need:
            case Append(units=units, era=era):
                appended: asyncio.Future[int] = loop.create_future()
                returns = returns_to(loop)
                self.ledger.submit(units, lambda result: returns.bring(appended, result), era)
                return await appended
            case Turn(name=name):
                granted: asyncio.Future[int] = loop.create_future()
                self.turns.take(name, lambda: loop.call_soon_threadsafe(self._grant, granted, name))
                return await self._turn(granted, name)
        return await asyncio.to_thread(self._read, need)

    async def _turn(self, granted: "asyncio.Future[int]", name: str) -> int:
        """A turn that is granted to a caller who went away in the meantime is passed on."""
        try:
            return await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.turns.release(name)
            raise

    def _grant(self, granted: "asyncio.Future[int]", name: str) -> None:
        if granted.done():
            self.turns.release(name)
        else:
            granted.set_result(0)

    def _read(self, need: Fetch | Look | Refuse) -> Answer:
        if isinstance(need, Refuse):
            return self.ledger.refuse(need.digests)
        if isinstance(need, Look):
            return self.ledger.look(need.command_ids, need.claims)
        aggregates: dict[str, Aggregate | Refusal] = {}
        if need.streams:
            aggregates.update(self.ledger.fetch(need.streams))
        if need.pasts:
            aggregates.update(self.ledger.recall(need.pasts))
        holders = self.ledger.holders(need.claims) if need.claims else {}
        return Fetched(aggregates, {claim: holders.get(claim) for claim in need.claims})

    def _steps(self, commands: Sequence[Command], options: Options) -> Steps:
        wanted = [Identified(command.command_id or self.new_id(), command.digest(), command) for command in commands]
        turns: list[str] = []
        try:
            if not options.dry_run:
                yield from self._one_try_at_once(wanted, turns)
            return (yield from self._attempts(wanted, options, turns))
        finally:
            for turn in turns:
                self.turns.release(turn)

    def _one_try_at_once(self, wanted: Sequence[Identified], turns: list[str]) -> Generator[Turn, Answer, None]:
        """Who sends a command again waits for what becomes of the first try, and is not told a refusal while that may
        still be booked. In one order, so that nobody waits for one who waits for him."""
        for id in sorted({each.id for each in wanted if each.command.command_id}):
            if not self.turns.take_if_free(turn := f"command {id}"):
                yield Turn(turn)
            turns.append(turn)

    def _attempts(self, wanted: Sequence[Identified], options: Options, turns: list[str]) -> Steps:
        """Decide on what is cached and append; when that was refused or came too late, look and decide again.

        A refusal is decided on fresh state, and given only once no other try of the command can be applied any more:
        one may have been committed since, and a repeated command is refused by its own first effect.
        """
        began = self.ledger.latest()
        looks_first = options.dry_run or options.key
        found = (yield from self._look(_ids(wanted, options.key))) if looks_first else Found()
        streams: list[str] = []
        final: dict[str, Refusal] = {}
        for attempt in range(ATTEMPTS):
            era = self.ledger.era
            sure = attempt > 0 or options.dry_run
            batch = yield from self._decide(wanted, Batch(options.key, found, began, final), options, sure)
            if batch.refused and attempt == 0:
                self.ledger.evict(batch.touched)
                continue
            if batch.refused and not options.dry_run and (yield from self._have_refused(batch, options, final)):
                self.ledger.evict(batch.touched)
                found = yield from self._look_again(_ids(wanted, options.key), batch, found)
                continue
            if batch.refused and options.mode == "atomic":
                return batch.not_applied()
            if options.dry_run or not batch.units:
                return batch.outcomes(None)
            try:
                first = yield Append(tuple(batch.units.values()), era)
            except Conflict:
                if not streams and len(batch.changed) == 1:
                    streams.append(batch.changed[0].stream)
                    yield Turn(streams[0])
                    turns.append(streams[0])
                self.ledger.evict(batch.touched)
                found = yield from self._look_again(_ids(wanted, options.key), batch, found)
                continue
            assert isinstance(first, int)
            self._keep(batch, era)
            return batch.outcomes(first)
        return [Refused(each.id, Refusal("conflict", "Others were first each time; try again.")) for each in wanted]

    def _have_refused(
        self, batch: Batch, options: Options, final: dict[str, Refusal]
    ) -> Generator[Refuse, Answer, bool]:
        """Whether it is too late for one: it has been applied. The others are ``final``."""
        refused = _refused(batch, atomic=options.mode == "atomic")
        if not refused:
            return False
        found = yield Refuse(refused)
        assert isinstance(found, Found)
        final |= {each.id: what for each, what in batch.decided if each.id in refused and isinstance(what, Refusal)}
        return bool(found.known)

    def _keep(self, batch: Batch, era: int) -> None:
        """A whole one was for this decision only."""
        self.ledger.keep([each for each in batch.changed if not each.whole], batch.claims, era)
        if whole := [each.stream for each in batch.changed if each.whole]:
            self.ledger.evict(whole)

    def _look_again(self, ids: frozenset[str], batch: Batch, found: Found) -> Generator[Look, Answer, Found]:
        return (yield from self._look(ids, frozenset(batch.claims) | found.claims))

    def _look(self, ids: frozenset[str], claims: frozenset[str] = frozenset()) -> Generator[Look, Answer, Found]:
        answer = yield Look(ids, claims)
        assert isinstance(answer, Found)
        return answer

    def _decide(
        self, wanted: Sequence[Identified], blank: Batch, options: Options, sure: bool
    ) -> Generator[Fetch, Answer, Batch]:
        held, cached = Fetched(), self.ledger.cached
        while True:
            book = Book(
                lambda stream: held.aggregates.get(stream) or cached(stream),
                self.ledger.held,
                self.new_id,
                self.time_zone,
                self.clock(),
                blank.found.claims,
                sure,
                held.holders,
            )
            batch = Batch(blank.key, blank.found, blank.began, blank.final)
            missing: list[Missing] = []
            for each in wanted:
                try:
                    batch.take(each, book, options.actor)
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


def _refused(batch: Batch, *, atomic: bool) -> Mapping[str, str]:
    """What is not applied of that to which the caller has given an id, by which another try may be under way."""
    settled = batch.found.known.keys() | batch.final.keys()
    return {
        each.id: each.digest
        for each, what in batch.decided
        if (each.command.command_id or batch.key)
        and each.id not in settled
        and (atomic or (isinstance(what, Refusal) and each.id not in batch.units))
    }


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
