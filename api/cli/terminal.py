"""What a person sees: sentences, progress bars, tables. Progress goes to standard error, results to standard output."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from api.rendering import decimal, dumps

WIDE = None if sys.stdout.isatty() else 140
"""Of sentences that go to a file or a pipe."""

EXACT = re.compile(r"[-+]?\d[\d.:T+-]*Z?,?")
"""A number, a day or a time, also within a sentence: it is never folded."""

FOLDED = 8
"""Characters that a text is folded to at the least."""

out = Console(highlight=False, width=WIDE)
err = Console(stderr=True, highlight=False)


def say(sentence: str) -> None:
    err.print(sentence, markup=False, soft_wrap=True)


def result(value: Mapping[str, Any]) -> None:
    """The machine's answer."""
    out.file.write(dumps(value).decode() + "\n")


class Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="cyan")


@contextmanager
def progress(what: str, total: int | None, *, shown: bool = True) -> Iterator[Callable[[int], object]]:
    """A bar with rate and time left; gives what moves it on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not shown) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


def table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """In a terminal that is too narrow texts are folded; in a pipe or a file nothing is."""
    shown = [[Text("" if row[column] is None else _cell(row[column])) for column in columns] for row in rows]
    wanted, least = _widths(columns, shown)
    lines, room = len(columns) + 1, out.width if out.is_terminal else sys.maxsize
    spacious = sum(wanted) + 2 * len(columns) + lines <= room
    widths = wanted if spacious else _share(room - lines, wanted, least)
    drawn = Table(padding=(0, int(spacious)), width=sum(widths) + 2 * spacious * len(columns) + lines)
    for column, width in zip(columns, widths, strict=True):
        number = any(isinstance(row[column], int | Decimal) for row in rows)
        drawn.add_column(column, justify="right" if number else "left", width=width, overflow="fold")
    for cells in shown:
        drawn.add_row(*cells)
    out.print(Text(title, "table.title"), soft_wrap=True)
    out.print(drawn, crop=False)


def _widths(columns: Sequence[str], shown: Sequence[Sequence[Text]]) -> tuple[list[int], list[int]]:
    """What each column wants, and the least that it needs: a number that is cut is another number."""
    cells = [[column, *(row[place].plain for row in shown)] for place, column in enumerate(columns)]
    wanted = [max(cell_len(line) for cell in each for line in cell.split("\n")) for each in cells]
    return wanted, [max(_least(word) for cell in each for word in cell.split() or [""]) for each in cells]


def _least(word: str) -> int:
    return cell_len(word) if EXACT.fullmatch(word) else min(cell_len(word), FOLDED)


def _share(room: int, wanted: Sequence[int], least: Sequence[int]) -> list[int]:
    """The least for each, and of the rest as much for each as it wants or there is."""
    widths, rest = list(least), max(room - sum(least), 0)
    lacking = sorted((more - few, place) for place, (more, few) in enumerate(zip(wanted, least, strict=True)))
    for served, (lack, place) in enumerate(lacking):
        given = min(lack, rest // (len(lacking) - served))
        widths[place] += given
        rest -= given
    return widths


def _cell(value: object) -> str:
    return decimal(value) if isinstance(value, Decimal) else str(value)
