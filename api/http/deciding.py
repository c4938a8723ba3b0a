"""The commands of a batch: read, decided, and answered by a line each. What is wrong with one concerns no other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from api import strict_json
from api.http.bodies import bare, valid
from api.http.commands import accepted, count
from api.http.problems import problem
from api.http.splitting import Item
from api.refusing import invalid
from api.rendering import dumps
from commands.batch_key import BatchKey
from commands.bus import Accepted, Bus, Options, Outcome, Refused
from commands.command import Command
from domain.refusal import Refusal
from domain.values import Name

NAME = TypeAdapter(Name)


def batch_key(key: str, items: Sequence[Item]) -> BatchKey:
    """Two batches are the same if each command says the same, however it is written."""
    try:
        NAME.validate_python(key)
    except ValidationError as error:
        raise Refusal("invalid", f"Idempotency-Key: {invalid(error).message}", field="Idempotency-Key") from error
    digest = sha256()
    for item in items:
        digest.update(sha256(_in_one_order(item)).digest())
    return BatchKey(key, digest.hexdigest())


def _in_one_order(item: Item) -> bytes:
    if isinstance(item, Refusal):
        return item.message.encode()
    try:
        return orjson.dumps(orjson.loads(item), option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return item


@dataclass(slots=True)
class Deciding:
    bus: Bus
    options: Options
    _told: set[str] = field(default_factory=set)
    """Lists of what is known: in twenty thousand lines once."""

    def lines(self, items: Sequence[Item], first: int) -> tuple[list[bytes], bool]:
        """The lines, and whether all say only what has been done before. ``first`` is the number of the first item."""
        read = [self._read(item, number) for number, item in enumerate(items, first)]
        commands = [item for item in read if isinstance(item, Command)]
        if self.options.mode == "atomic" and len(commands) < len(read):
            reason = Refusal("batch_refused", "Another command of the atomic batch was refused.")
            return [self._refused(item if isinstance(item, Refusal) else reason) for item in read], False
        outcomes = self.bus.execute(commands, self.options)
        count(commands, outcomes)
        replayed = len(commands) == len(read) and all(isinstance(o, Accepted) and o.replayed for o in outcomes)
        return list(self._lines(read, iter(outcomes))), replayed

    def _read(self, item: Item, number: int) -> Command | Refusal:
        if isinstance(item, Refusal):
            return item
        try:
            return valid(self._identified(strict_json.loads(item), number))
        except Refusal as refusal:
            return bare(refusal)

    def _identified(self, value: object, number: int) -> object:
        key = self.options.key
        if key and isinstance(value, dict) and value.get("command_id") is None:
            value["command_id"] = key.id_of_line(number)
        return value

    def _lines(self, read: Sequence[Command | Refusal], outcomes: Iterator[Outcome]) -> Iterator[bytes]:
        for item in read:
            outcome = item if isinstance(item, Refusal) else next(outcomes)
            match outcome:
                case Refusal():
                    yield self._refused(outcome)
                case Refused(command_id=id, refusal=refusal):
                    yield self._refused(refusal, command_id=id)
                case Accepted(replayed=replayed):
                    status = 200 if replayed or self.options.dry_run else 201
                    yield dumps({"status": status, **accepted(outcome)})

    def _refused(self, refusal: Refusal, **more: str) -> bytes:
        facts: dict[str, Any] = {**more, **problem(refusal)}
        if "known" in facts:
            if "known" in self._told:
                del facts["known"]
            self._told.add("known")
        return dumps(facts)
