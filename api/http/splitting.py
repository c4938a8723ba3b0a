"""A batch cut into its commands as it comes in, and counted, so that nothing is parsed that is too much anyway.

A command that is too long by itself is let go of at once, and told so in its place.
"""

import re
from collections.abc import AsyncIterable, Iterator
from typing import Protocol

from domain.refusal import Refusal

Item = bytes | Refusal
"""The text of a command, or why it was not kept."""

LINE_END = re.compile(rb"[\r\n]")
STRUCTURE = re.compile(rb'\\.?|["\[\]{},]', re.DOTALL)


class Splitter(Protocol):
    def feed(self, piece: bytes) -> Iterator[Item]:
        """The items that end in it."""

    def end(self) -> Iterator[Item]:
        """What is left, if anything. Refusal ``malformed`` if something is missing."""


async def split(body: AsyncIterable[bytes], most: int, longest: int) -> tuple[list[Item], bool]:
    """All items, and whether they came as an array; refused as soon as there are too many."""
    items: list[Item] = []
    splitter: Splitter | None = None
    async for piece in body:
        if splitter is None and (start := piece.lstrip()[:1]):
            splitter = Array(longest) if start == b"[" else Lines(longest)
        if splitter:
            _take(items, splitter.feed(piece), most)
    if splitter:
        _take(items, splitter.end(), most)
    if not items:
        raise Refusal("malformed", "A batch has at least one command.")
    return items, isinstance(splitter, Array)


def _take(items: list[Item], more: Iterator[Item], most: int) -> None:
    for item in more:
        items.append(item)
        if len(items) > most:
            raise Refusal("too_large", f"A batch has {most} commands at the most.", limit=most)


class Pending:
    """The item that is coming in."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._longest:
            self._parts = []
        elif part:
            self._parts.append(part)

    def take(self, last: bytes = b"") -> Item:
        self.add(last)
        text, size = b"".join(self._parts).strip(), self._size
        self._parts, self._size = [], 0
        if size > self._longest:
            return Refusal("too_large", f"A command is longer than {self._longest} bytes.", limit=self._longest)
        return text


class Lines:
    """NDJSON; blank lines count for nothing."""

    def __init__(self, longest: int) -> None:
        self._pending = Pending(longest)

    def feed(self, piece: bytes) -> Iterator[Item]:
        *ends, rest = LINE_END.split(piece)
        for end in ends:
            if item := self._pending.take(end):
                yield item
        self._pending.add(rest)

    def end(self) -> Iterator[Item]:
        if item := self._pending.take():
            yield item


class Array:
    """A JSON array, of which only quotes, brackets and commas are looked at; what is between them is for the parser."""

    def __init__(self, longest: int) -> None:
        self._pending = Pending(longest)
        self._depth = 0
        self._quoted = self._escaped = False
        self._begun = self._empty = False

    def feed(self, piece: bytes) -> Iterator[Item]:
        start = 0
        for at, sign in self._signs(piece):
            if sign in b"[{":
                self._depth += 1
                if self._depth == 1:
                    self._begin()
                    start = at + 1
            elif self._depth > 1:
                self._depth -= sign != b","
            else:
                yield from self._ended(piece[start:at], sign)
                start = at + 1
        self._pending.add(piece[start:])

    def end(self) -> Iterator[Item]:
        if self._depth or self._pending.take():
            raise _no_array()
        return iter(())

    def _signs(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        """Brackets and commas outside of strings."""
        found = STRUCTURE.finditer(piece, int(self._escaped))
        self._escaped = False
        for each in found:
            sign = each[0]
            if sign == b'"':
                self._quoted = not self._quoted
            elif sign == b"\\":
                self._escaped = True  # what follows comes with the next piece
            elif len(sign) == 1 and not self._quoted:
                yield each.start(), sign

    def _begin(self) -> None:
        if self._begun:
            raise _no_array()
        self._begun = self._empty = True

    def _ended(self, text: bytes, sign: bytes) -> Iterator[Item]:
        """An item, by a comma or by the end of the array."""
        if self._depth == 0 or sign == b"}":
            raise _no_array()
        item = self._pending.take(text)
        if sign == b"]":
            self._depth = 0
        if item or sign == b"," or not self._empty:
            yield item
        self._empty = False


def _no_array() -> Refusal:
    return Refusal("malformed", "This is not JSON: an array that is not closed, or is followed by something.")
