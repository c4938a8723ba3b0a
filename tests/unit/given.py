"""given – when – happened or refused: tests of the domain as sentences, over a ledger in memory.

Dates are noon of that day, UTC. A command without one is of the scene's today.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from commands.bus import Accepted, Bus, Outcome, Refused
from commands.command import Command, parse
from domain.aggregate import Aggregate, Entry
from domain.event import Event
from tests.unit.memory_ledger import MemoryLedger

TODAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Scene:
    def __init__(self) -> None:
        numbers = count(1)
        self.ledger = MemoryLedger()
        self.bus = Bus(self.ledger, lambda: TODAY, lambda: f"new-{next(numbers)}")
        self.outcomes: list[Outcome] = []
        self.entries: list[Entry] = []


_scene = Scene()


def begin() -> None:
    """An empty book; run before every test (conftest.py)."""
    global _scene
    _scene = Scene()


def given(*commands: Command) -> None:
    """All of it has been accepted."""
    for command in commands:
        [outcome] = _scene.bus.execute([command])
        assert isinstance(outcome, Accepted), outcome


def when(*commands: Command) -> Sequence[Outcome]:
    before = len(_scene.ledger.log.entries)
    _scene.outcomes = _scene.bus.execute(commands)
    _scene.entries = _scene.ledger.log.entries[before:]
    return _scene.outcomes


def happened(*types: str) -> list[Event]:
    """The events that the last ``when`` appended, which must be of these types."""
    assert [entry.event.type for entry in _scene.entries] == list(types), _scene.outcomes
    return [entry.event for entry in _scene.entries]


def entries() -> list[Entry]:
    """What the last ``when`` appended."""
    return list(_scene.entries)


def book() -> list[Entry]:
    """All that has been appended, in order of position."""
    return list(_scene.ledger.log.entries)


def refused(code: str, **facts: object) -> None:
    """The last ``when`` was refused for this reason, with these facts, and has appended nothing."""
    [outcome] = _scene.outcomes
    assert isinstance(outcome, Refused), outcome
    assert outcome.refusal.code == code, outcome.refusal
    assert {name: outcome.refusal.facts.get(name) for name in facts} == facts
    assert not _scene.entries


def now(cls: type[Aggregate], *ids: str, whole: bool = False) -> Aggregate:
    """What the ledger has of it, replayed from its events."""
    return _scene.ledger.log.load(cls.stream_of(*ids), whole=whole)


def command(type: str, on: str | None = None, **fields: object) -> Command:
    moment = {"effective_at": at(on)} if on else {}
    return parse({"type": type, **moment, **fields})


def at(day: str) -> str:
    """Noon of a day; a time stays what it is."""
    return day if "T" in day else f"{day}T12:00:00Z"


def d(text: str) -> date:
    return date.fromisoformat(text)


def dec(value: object) -> Decimal:
    return Decimal(str(value))
