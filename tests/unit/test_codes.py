"""Every refusal that the code makes is one that is declared, with the facts that are declared."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.codes import FACTS, STATUS, facts_of

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "commands", "projections", "consumers", "api", "infra")
HANDED = {"exceeds_open", "url_too_long", "head_too_large"}
"""Codes that are chosen where the refusal is not made."""
ELSEWHERE = {"not_over", "incomplete"}
"""Those of the command line."""

Refused = tuple[str, set[str], bool]


def refusals() -> Iterator[Refused]:
    """Code and names of facts of each; and whether there may be more that are not named there."""
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Refusal"), args=[ast.Constant(value=str(code)), *_], keywords=facts):
                    names = {each.arg for each in facts if each.arg}
                    yield code, names, len(names) < len(facts)


REFUSED = list(refusals())


def test_every_code_is_declared() -> None:
    assert {code for code, _, _ in REFUSED} | HANDED == FACTS.keys() | ELSEWHERE
    assert STATUS.keys() <= FACTS.keys()


@pytest.mark.parametrize("code", FACTS.keys() - HANDED)
def test_its_facts_are_those_that_are_told(code: str) -> None:
    declared = facts_of(code)
    always = {name for name, (_, is_always) in declared.items() if is_always}
    told = [(names, more) for each, names, more in REFUSED if each == code]
    assert {name for names, _ in told for name in names} - declared.keys() == set()
    assert all(always <= names or more for names, more in told)
    if not any(more for _, more in told):
        assert {name for names, _ in told for name in names} == declared.keys()
        assert set.intersection(*(names for names, _ in told)) == always
