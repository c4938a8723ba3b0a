"""docs/how-to/when-something-is-wrong.md has an entry for each alarm, and each entry is executed as a test."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from api.codes import STATUS
from tests.alarms import ENTRIES, ROOT, ROW, TEXT, Entry

ROOMS = ("domain", "commands", "projections", "consumers", "infra", "api")
METRICS = {"Counter", "Gauge", "Histogram", "GaugeMetricFamily", "CounterMetricFamily"}
LOUD = {"warning", "error", "exception"}


def calls() -> Iterator[tuple[str, ast.expr]]:
    """Each call in the product: what is called, and its first argument."""
    for path in [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                yield ast.unparse(node.func), node.args[0]


def told(text: ast.expr) -> str:
    """A text as the page has it: what differs is …"""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)


CALLS = list(calls())
ALARMS = sorted({told(text) for called, text in CALLS if called in {f"log.{level}" for level in LOUD}})
FIGURES = sorted({told(text) for called, text in CALLS if called in METRICS and "grossbuch_" in told(text)})
TYPED = [entry for entry in ENTRIES.values() if entry.commands]
CODES = sorted(code for code, status in STATUS.items() if status >= 500)


def test_there_are_some() -> None:
    assert "the book was set back" in ALARMS
    assert {"grossbuch_clock_skew_seconds", "grossbuch_log_size"} <= set(FIGURES)
    assert {"unavailable", "internal"} <= set(CODES)


@pytest.mark.parametrize("line", ALARMS)
def test_what_is_logged_loudly_is_seen_in_the_table(line: str) -> None:
    assert any(line in seen for entry in ENTRIES.values() for seen in entry.seen)


@pytest.mark.parametrize("name", FIGURES)
def test_each_metric_is_an_alarm_or_a_figure(name: str) -> None:
    assert re.search(rf"^\| .*`{name}(_total)?[`{{]", TEXT, re.MULTILINE)


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_what_is_no_fault_of_the_caller_s_is_seen_in_the_table(code: str) -> None:
    assert any(f"{STATUS[code]} `{code}`" in seen for seen, _ in ROW.findall(TEXT))


def test_no_metric_is_told_of_that_there_is_not() -> None:
    known = {*FIGURES, *(f"{name}_total" for name in FIGURES)}
    assert set(re.findall(r"`(grossbuch_\w+)", TEXT)) <= known


def test_the_table_leads_to_each_entry_and_nowhere_else() -> None:
    assert {at for _, at in ROW.findall(TEXT)} == ENTRIES.keys()


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.heading)
def test_each_entry_is_played_by_tests_that_there_are(entry: Entry) -> None:
    assert entry.played_by
    for test in entry.played_by:
        assert definition(test), test


@pytest.mark.parametrize("entry", TYPED, ids=lambda entry: entry.heading)
def test_what_an_entry_says_is_typed(entry: Entry) -> None:
    """The fixture sees to it that it is all of it."""
    tests = [found for name in entry.played_by if isinstance(found := definition(name), ast.FunctionDef)]
    assert any(argument.arg == "on_call" for test in tests for argument in test.args.args)


@cache
def parsed(path: str) -> list[ast.stmt]:
    return ast.parse((ROOT / path).read_text(encoding="utf-8")).body


def definition(test: str) -> ast.stmt | None:
    """Of a test as pytest names it."""
    path, *names = test.split("::")
    found: ast.stmt | None = None
    body = parsed(path)
    for name in names:
        named = [each for each in body if isinstance(each, (ast.ClassDef, ast.FunctionDef)) and each.name == name]
        found = named[0] if named else None
        body = named[0].body if named else []
    return found
