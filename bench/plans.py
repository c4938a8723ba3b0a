"""Keeps the plan of each figure as it was last measured: docs/reference/plans.md, one section a question."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "plans.md"
HEAD = """# Plans

How PostgreSQL answers each figure, as last measured by `python -m bench queries retail`. Look here when a figure has
become slow: what has changed?
"""


def keep(question: str, plan: str) -> None:
    sections = _sections()
    sections[question] = f"```\n{plan}\n```"
    text = "\n".join(f"\n## `{title}`\n\n{body}" for title, body in sorted(sections.items()))
    PAGE.write_text(f"{HEAD}{text}\n", encoding="utf-8")


def _sections() -> dict[str, str]:
    if not PAGE.exists():
        return {}
    found = re.findall(
        r"^## `([^\n]*)`\n\n(```\n.*?\n```)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return dict(found)
