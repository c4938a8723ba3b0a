"""Measures, and writes into docs/reference/performance.md what was measured. ``python -m bench append http`` measures,
and writes, these alone. All of it needs a quiet machine and an hour.
"""

import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from bench.measure import Row

ALL = (
    "append",
    "race",
    "http",
    "commands",
    "projection",
    "growth",
    "queries",
    "retail",
    "kafka",
    "rebuild",
    "past",
    "held",
)
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "performance.md"


def main(names: Iterable[str]) -> None:
    for name in names:
        print(name, flush=True)
        rows: list[Row] = []
        for row in import_module(f"bench.{name}").main():
            print(row, flush=True)
            rows.append(row)
            write(name, "\n".join(table(rows)))  # at once: what an hour has measured is not lost with its last minute


def table(rows: Iterable[Row]) -> Iterator[str]:
    cores = os.cpu_count()
    yield f"{datetime.now(UTC):%Y-%m-%d}, {cores} cores, Python {platform.python_version()}, {platform.system()}.\n"
    yield "| measured | ours | against | ratio | goal |\n| --- | --- | --- | --- | --- |"
    for row in rows:
        yield f"| {row.measured} | {row.ours} | {row.theirs} | {row.ratio} | {row.goal} |"


def write(name: str, text: str) -> None:
    """Between the marks that bear its name."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    page = PAGE.read_text(encoding="utf-8")
    between = re.compile(f"{begin}.*{end}", re.DOTALL)
    PAGE.write_text(between.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", page), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:] or ALL)
