"""A capability is one file a room: a copy of the product gets one by the recipe of CONTRIBUTING.md, and is served."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.e2e.api import Api, table
from tests.e2e.given import at, client, product
from tests.e2e.serving import Up

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "commands", "projections")
REST = ("consumers", "infra", "api", "docs")

STEP = re.compile(r"^\d\. \*\*`([\w/.]+)`\*\*.*?^   ```\w+\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)


def recipe() -> dict[str, str]:
    """The files that the recipe writes, by their paths."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {path: dedent(text) for path, text in STEP.findall(page)}


def list_module(room: Path, name: str) -> None:
    """The name where the room lists its modules."""
    index = room / "__init__.py"
    text = index.read_text(encoding="utf-8")
    if room.name == "projections":
        text = re.sub(r"^from projections import \(?|^_MODULES = \(", rf"\g<0>{name}, ", text, flags=re.MULTILINE)
    else:
        text += f"from {room.name} import {name} as {name}\n"
    index.write_text(text, encoding="utf-8")


def sources(root: Path) -> dict[str, str]:
    files = (file for room in (*ROOMS, *REST) for file in (root / room).rglob("*") if file.suffix in (".py", ".sql"))
    return {str(file.relative_to(root)): file.read_text(encoding="utf-8") for file in files}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("product")
    for room in (*ROOMS, *REST):
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in recipe().items():
        (root / path).write_text(text, encoding="utf-8")
    for room in ROOMS:
        list_module(root / room, "samples")
    return root


@pytest.fixture(scope="module")
def book(copy: Path, dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    env = {"PYTHONPATH": str(copy), "DATABASE_URL": dsn, "GROSSBUCH_LEDGER": f"capability{os.getpid()}"}
    up = Up(log=tmp_path_factory.mktemp("log") / "log", env=env)
    with up.start() as api:
        api.given(client("C1"), client("C2"), product("P1"))
        yield api
    assert up.stop() == 0


def give(quantity: str, on: str, client: str = "C1") -> dict[str, str]:
    return {"type": "sample.give", "client": client, "product": "P1", "quantity": quantity, "effective_at": at(on)}


def test_it_is_one_file_a_room_and_a_name_in_each_list(copy: Path) -> None:
    before, after = sources(ROOT), sources(copy)
    assert after.keys() - before.keys() == {
        "domain/samples.py",
        "commands/samples.py",
        "projections/samples.py",
        "projections/sql/sample_balances.sql",
    }
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {f"{room}/__init__.py" for room in ROOMS}
    more = sum(len(after[path].splitlines()) - len(before[path].splitlines()) for path in changed)
    assert more == 2


def test_the_recipe_is_written_as_all_else_is(copy: Path) -> None:
    files = [str(copy / path) for path in recipe() if path.endswith(".py")]
    config = ["--config", str(ROOT / "pyproject.toml")]
    for check in (["format", "--check", *config], ["check", "--no-cache", *config]):
        done = subprocess.run([Path(sys.executable).with_name("ruff"), *check, *files], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_command_is_an_event_in_a_register_that_its_query_answers_from(book: Api) -> None:
    [first, _, _] = book.given(give("1", "2026-05-01"), give("2", "2026-05-10"), give("3", "2026-05-02", "C2"))
    assert [(event["type"], event["stream"]) for event in first["events"]] == [("sample.given", "samples-C1/P1")]
    path = "/v1/samples/balances"
    both = [("C1", "P1", "3"), ("C2", "P1", "3")]
    assert [tuple(row.values()) for row in book.rows(path)] == both
    assert [tuple(row.values()) for row in table(book.get(f"{path}?format=csv"))] == both
    assert [row["quantity"] for row in book.rows(f"{path}?client=C1&as_of=2026-05-09")] == ["1"]
    assert [row["client"] for row in book.rows(f"{path}?known_at={first['position']}")] == ["C1"]
    page = book.ask(f"{path}?limit=1")
    assert book.rows(f"{path}?limit=1&cursor={page['next']}")[0]["client"] == "C2"


def test_its_rule_refuses_with_the_facts(book: Api) -> None:
    refusal = book.refused(give("4", "2026-05-03", "C2"), 422, "too_many_samples")
    assert refusal["most"] == "3"
    book.refused(give("1", "2026-05-03", "C9"), 404, "not_found")
    book.refused(give("0.5", "2026-05-03"), 422, "invalid")


def test_its_route_and_its_schemas_are_in_the_reference(book: Api, copy: Path) -> None:
    document = book.http.get("/openapi.json").json()
    assert "/v1/samples/balances" in document["paths"]
    assert "sample.give" in document["components"]["schemas"]
    told = "from docs.generate import pages; print(*pages().values())"
    done = subprocess.run([sys.executable, "-c", told], cwd=copy, capture_output=True, text=True, check=True)
    assert all(
        heading in done.stdout for heading in ("## sample.give\n", "## sample.given\n", "## /v1/samples/balances")
    )
