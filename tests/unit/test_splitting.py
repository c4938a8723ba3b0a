"""A batch is cut into its commands, however it comes in."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import pytest

from api.http.splitting import Item, split
from domain.refusal import Refusal

COMMANDS = [{"a": 'x"],[{\\'}, {}, [], [[1, {"b": [2]}], "]"], "\\", 'é"', 7, None, {"c": {"d": "\n, }"}}]
ARRAY = json.dumps(COMMANDS).encode()
LINES = b"\r\n\n".join(json.dumps(each).encode() for each in COMMANDS)


def cut(body: bytes, size: int = 1_000_000, most: int = 100, longest: int = 1_000) -> tuple[list[Item], bool]:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    return asyncio.run(split(pieces(), most, longest))


def texts(items: Sequence[Item]) -> list[object]:
    return [each.code if isinstance(each, Refusal) else json.loads(each) for each in items]


@pytest.mark.parametrize("size", [*range(1, 20), len(ARRAY) - 1, len(ARRAY)])
@pytest.mark.parametrize(("body", "is_array"), [(ARRAY, True), (b" \n\t" + ARRAY + b" \n", True), (LINES, False)])
def test_pieces_of_any_size_give_the_same_commands(body: bytes, is_array: bool, size: int) -> None:
    items, came_as_array = cut(body, size)
    assert texts(items) == COMMANDS
    assert came_as_array is is_array


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    "body",
    [
        "[",
        "[1",
        "[1,",
        "[1]]",
        "[1}",
        "[1] 2",
        "[1],",
        "[1][2]",
        '["',
        '["]',
        '["\\"]',
        "[{]}",
        "[{}}",
        '[1]"',
        '[{"a":1]}, 3]',
    ],
)
def test_an_array_that_is_not_closed_or_goes_on_is_malformed(body: str, size: int) -> None:
    with pytest.raises(Refusal) as refusal:
        cut(body.encode(), size)
    assert refusal.value.code == "malformed"


@pytest.mark.parametrize("body", ["", " ", "\n\r\n", "[]", " [ \n ] "])
def test_nothing_is_no_batch(body: str) -> None:
    with pytest.raises(Refusal, match="at least one"):
        cut(body.encode(), 1)


@pytest.mark.parametrize(("body", "count"), [("[,]", 2), ("[1,]", 2), ("[,1]", 2), ("[1 2, 3]", 2)])
def test_what_is_between_commas_stands_in_its_place_whatever_it_is(body: str, count: int) -> None:
    assert len(cut(body.encode(), 1)[0]) == count


@pytest.mark.parametrize("begin", [b"", b"["])
def test_more_than_the_most_are_too_large_before_the_rest_is_read(begin: bytes) -> None:
    read = 0

    async def long_one() -> AsyncIterator[bytes]:
        nonlocal read
        yield begin
        for _ in range(1_000):
            read += 1
            yield b"{},\n" if begin else b"{}\n"

    with pytest.raises(Refusal, match="10 commands at the most") as refusal:
        asyncio.run(split(long_one(), 10, 1_000))
    assert refusal.value.code == "too_large"
    assert read == 11


@pytest.mark.parametrize("size", [7, 100, 10_000])
@pytest.mark.parametrize("long", ['"' + "x" * 200 + '"', "[" + "{}," * 60 + "1]"])
def test_a_command_that_is_too_long_is_told_so_in_its_place(long: str, size: int) -> None:
    for body in (f"1\n{long}\n2\n", f"[1,{long},2]"):
        assert texts(cut(body.encode(), size, longest=100)[0]) == [1, "too_large", 2]
