"""Both sides in one run, alternating, several repeats; what counts are ratios, given as min, median and max."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from statistics import median
from time import perf_counter

from infra.embedded.server import embedded

Side = Callable[[], float]
"""Runs once and gives a rate (or a time)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of docs/reference/performance.md: figures as min / median / max."""

    measured: str
    ours: str
    theirs: str
    ratio: str
    goal: str


def spread(figures: list[float], form: str = ",.0f") -> str:
    return " / ".join(format(figure, form) for figure in (min(figures), median(figures), max(figures)))


def versus(measured: str, ours: Side, theirs: Side, *, goal: str, repeats: int = 5, form: str = ",.0f") -> Row:
    """Ours and theirs in turn; the ratio is taken pair by pair."""
    pairs = []
    for number in range(repeats):
        pair = (ours(), theirs()) if number % 2 == 0 else tuple(reversed((theirs(), ours())))
        pairs.append(pair)
        print(f"  {measured}: {pair[0]:,.1f} against {pair[1]:,.1f} = {pair[0] / pair[1]:.2f}", flush=True)
    mine, others = [a for a, _ in pairs], [b for _, b in pairs]
    return Row(measured, spread(mine, form), spread(others, form), spread([a / b for a, b in pairs], ".2f"), goal)


@contextmanager
def server() -> Iterator[str]:
    """A throw-away embedded server; gives its dsn."""
    directory = Path(tempfile.mkdtemp(prefix="gbbench", dir="/tmp"))
    directory.chmod(0o755)
    try:
        with embedded(directory) as dsn:
            yield dsn
    finally:
        rmtree(directory, ignore_errors=True)


def rate(number: int, run: Callable[[], object]) -> float:
    started = perf_counter()
    run()
    return number / (perf_counter() - started)
