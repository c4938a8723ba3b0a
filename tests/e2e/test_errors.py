"""docs/reference/errors.md tells for each code how to get it: typed as it stands, it is answered so."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.command import command_types
from docs.calls import COMMON, reach
from tests.e2e.serving import Up
from tests.e2e.test_docs import FENCE, ROOT, Reader

PAGE = ROOT / "docs/reference/errors.md"
SECTION = re.compile(r"^### (\w+)$\n(.*?)(?=^###|\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(PAGE.read_text(encoding="utf-8")))
FAILURES = {
    "timeout",
    "busy",
    "unavailable",
    "superseded",
    "set_back",
    "broken_stream",
    "too_slow",
    "internal",
    "detached",
    "ahead",
    "halted",
}
"""What no command does on purpose; test_door, test_busy, test_roll_out, test_months and tests/kafka get them."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, dsn: str) -> Iterator[dict[str, str]]:
    """What was answered to each line of the page, in a book that begins empty."""
    env = {"DATABASE_URL": dsn, "GROSSBUCH_LEDGER": "errors"}
    up = Up(log=tmp_path_factory.mktemp("log") / "log", env=env)
    with up.start() as api:
        reader = Reader(api, Path("/nowhere"))
        reader.read(PAGE)
        yield reader.answers
    assert up.stop() == 0


@pytest.mark.parametrize("code", SECTIONS)
def test_the_command_that_is_told_for_a_code_gets_it(answers: dict[str, str], code: str) -> None:
    [(_, _, lines, _)] = FENCE.findall(SECTIONS[code])
    answer = json.loads(answers[lines.strip().splitlines()[-1]])
    found = [each["code"] for each in answer] if isinstance(answer, list) else [answer["code"]]
    assert code in found


@pytest.mark.parametrize("code", SECTIONS)
def test_the_catalogue_names_the_code_with_that_command(code: str) -> None:
    [(_, _, lines, _)] = FENCE.findall(SECTIONS[code])
    types = re.findall(r'-d \'\{"type": "([a-z_.]+)"', lines)
    if types and types[-1] in command_types():
        assert code in reach(command_types()[types[-1]]).codes | COMMON | {"command_id_reused"}


def test_each_code_has_a_command() -> None:
    listed = set(re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert listed - FAILURES == set(SECTIONS)
