"""The generated reference agrees with the code, and the written one names what there is."""

import re
from pathlib import Path

import pytest

from docs.generate import REFERENCE, pages

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


def test_every_setting_is_documented() -> None:
    from infra.settings import Settings

    written = (REFERENCE / "settings.md").read_text()
    names = [f"GROSSBUCH_{name.upper()}" for name in Settings.model_fields if name != "database_url"]
    assert [name for name in [*names, "DATABASE_URL"] if name not in written] == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
