"""The generated reference agrees with the code, and the written one names what there is."""

import re
from pathlib import Path

import pytest

from commands.command import command_types
from docs.calls import reach, streams
from docs.generate import REFERENCE, pages
from docs.words import MEANINGS
from domain.event import event_types
from projections import QUERIES

ROOT = Path(__file__).parents[2]
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (REFERENCE / name).read_text() == PAGES[name], "run `make docs`"


def test_every_error_code_is_documented() -> None:
    rooms = [path for room in ("domain", "commands", "api") for path in (ROOT / room).rglob("*.py")]
    used = {code for path in rooms for code in re.findall(r'Refusal\(\s*"([a-z_]+)"', path.read_text())}
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", (REFERENCE / "errors.md").read_text(), re.MULTILINE))
    assert used - documented == set()


def test_every_test_that_a_comment_names_is_there() -> None:
    rooms = [
        path
        for room in ("domain", "commands", "projections", "consumers", "api", "infra", "docs", "bench")
        for path in (ROOT / room).rglob("*")
        if path.suffix in {".py", ".sql", ".md"}
    ]
    named = {name for path in rooms for name in re.findall(r"\btests/[a-z_/]+\.py", path.read_text())}
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_field_and_parameter_is_explained() -> None:
    rows = [line for page in ("commands.md", "events.md", "queries.md") for line in PAGES[page].splitlines()]
    assert [row for row in rows if row.startswith("| `") and row.endswith("|  |")] == []


def test_no_word_is_explained_that_nothing_uses() -> None:
    models = {**command_types(), **event_types()}
    fields = {name for cls in models.values() for name in cls.model_fields}
    fields |= {f"{type}.{name}" for type, cls in models.items() for name in cls.model_fields}
    assert MEANINGS.keys() - fields == set()


@pytest.mark.parametrize("type", [type for type in event_types() if "." in type])
def test_every_event_says_its_stream_and_the_commands_that_record_it(type: str) -> None:
    assert streams()[type]
    assert any(type in reach(cls).events for cls in command_types().values())


def test_what_a_command_may_be_refused_with_is_read_off_the_code() -> None:
    move, write_off = reach(command_types()["deal.move"]), reach(command_types()["invoice.write_off"])
    assert move.events == {"deal.moved"}
    assert move.codes == {
        "deal_closed",
        "not_found",
        "out_of_order",
        "requirement_missing",
        "stage_not_allowed",
        "stage_unknown",
    }
    assert write_off.codes == {"exceeds_open", "not_found"}


def test_every_figure_has_its_address_in_the_figures_page() -> None:
    """Cards are no figures; a timeline's address names its client."""
    cards = re.compile(r"^/v1/(clients|deals|pipelines|products|warehouses)(/\{\w+\})?$")
    wanted = {query.path.replace("{client}", "C1") for query in QUERIES if not cards.match(query.path)}
    asked = re.findall(r"^\| .* \| `([^?`]+)(?:\?[^`]*)?` \|$", (REFERENCE / "figures.md").read_text(), re.MULTILINE)
    assert wanted == set(asked)


def test_every_setting_is_documented() -> None:
    from infra.settings import Settings

    written = (REFERENCE / "settings.md").read_text()
    own = {name for name in Settings.model_fields if name != "database_url" and not name.startswith("kafka_")}
    names = [f"GROSSBUCH_{name.upper()}" if name in own else name.upper() for name in Settings.model_fields]
    assert [name for name in names if f"`{name}`" not in written] == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
