"""The entries of docs/how-to/when-something-is-wrong.md: what is seen, what is typed, and which tests play it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/how-to/when-something-is-wrong.md"
TEXT = PAGE.read_text(encoding="utf-8")

ENTRY = re.compile(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
PLAYED_BY = re.compile(r"<!-- played by\s+(.*?)\s*-->", re.DOTALL)
FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (.+) \| .+ \| \[.+\]\(#(.+)\) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Entry:
    heading: str
    seen: tuple[str, ...]
    """Texts in a log, an answer or the metrics; … stands for anything."""
    commands: tuple[str, ...]
    played_by: tuple[str, ...]
    """Tests as pytest names them."""

    def tells(self, words: str, text: str) -> bool:
        """Whether what is seen, and has these words, is in the text."""
        patterns = (".*".join(map(re.escape, seen.split("…"))) for seen in self.seen if words in seen)
        return any(re.search(pattern, text) for pattern in patterns)


def anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def _entries() -> Mapping[str, Entry]:
    seen: dict[str, tuple[str, ...]] = {}
    for told, at in ROW.findall(TEXT):
        seen[at] = (*seen.get(at, ()), *CODE.findall(told))
    found = {}
    for heading, text in ENTRY.findall(TEXT):
        commands = tuple(
            line.removeprefix(".venv/bin/") for fence in FENCE.findall(text) for line in fence.splitlines()
        )
        played_by = tuple(name for names in PLAYED_BY.findall(text) for name in names.split())
        found[anchor(heading)] = Entry(heading, seen.get(anchor(heading), ()), commands, played_by)
    return found


ENTRIES = _entries()
"""By their anchor."""


def played_by(test: str) -> Entry:
    [entry] = [entry for entry in ENTRIES.values() if test in entry.played_by]
    return entry
