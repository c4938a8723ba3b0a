"""A command asks for a change. Its type and fields are the contract; its body decides whether a repeat is the same."""

from abc import abstractmethod
from hashlib import sha256
from reprlib import repr as shown
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from commands.book import Book
from domain.refusal import Refusal
from domain.values import Moment, Name, Text


class Command(BaseModel):
    """Fields that every command may carry.

    ``command_id`` makes it idempotent; ``expected_version`` is that of the stream it first writes to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str]

    command_id: Name | None = None
    effective_at: Moment | None = None
    expected_version: Annotated[int, Field(ge=0, le=2**31)] | None = None
    reason: Text | None = None
    correlation_id: Name | None = None

    def __init_subclass__(cls, type: str | None = None) -> None:
        super().__init_subclass__()
        if type:
            cls.type = type
            _registry[type] = cls

    @abstractmethod
    def execute(self, book: Book) -> None:
        """Decide on what the book says, and record the events; raise a Refusal otherwise."""

    def digest(self) -> str:
        """Same digest, same request: over the type and what was given, without the id and without defaults."""
        body = self.__pydantic_serializer__.to_json(self, exclude={"command_id"}, exclude_defaults=True)
        return sha256(self.type.encode() + b" " + body).hexdigest()


_registry: dict[str, type[Command]] = {}


def command_types() -> dict[str, type[Command]]:
    return dict(sorted(_registry.items()))


def is_command_type(name: str) -> bool:
    return name in _registry


def _unknown(type: object) -> Refusal:
    said = (
        f"There is no command type {shown(type)}." if isinstance(type, str) else "A command has a type, which is text."
    )
    return Refusal("unknown_command", said, known=list(command_types()))


def parse(body: object) -> Command:
    """Read a command as it comes over the wire; pydantic's ValidationError or a Refusal tells what is wrong."""
    if not isinstance(body, dict):
        raise Refusal("malformed", "A command is a JSON object.")
    fields = dict(body)
    type = fields.pop("type", None)
    cls = _registry.get(type) if isinstance(type, str) else None
    if cls is None:
        raise _unknown(type)
    return cls.model_validate(fields)
