"""Measures everything and writes docs/reference/performance.md. `python -m bench append http` measures these alone.

Needs a quiet machine and half an hour.
"""

import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from bench.measure import Row

ALL = ("append", "race", "http", "commands", "projection", "growth", "queries", "retail")
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "performance.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def main(names: Iterable[str]) -> None:
    rows: list[Row] = []
    for name in names:
        print(name, flush=True)
        rows += import_module(f"bench.{name}").main()
    table = "\n".join(lines(rows))
    print(table)
    if set(names) == set(ALL):
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def lines(rows: Iterable[Row]) -> Iterable[str]:
    cores = os.cpu_count()
    yield f"\n{datetime.now(UTC):%Y-%m-%d}, {cores} cores, Python {platform.python_version()}, {platform.system()}.\n"
    yield "| measured | ours | against | ratio | goal |\n| --- | --- | --- | --- | --- |"
    for row in rows:
        yield f"| {row.measured} | {row.ours} | {row.theirs} | {row.ratio} | {row.goal} |"


if __name__ == "__main__":
    main(sys.argv[1:] or ALL)
