"""What a person sees: sentences, progress bars, tables. Progress goes to standard error, results to standard output."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from api.rendering import decimal, dumps

WIDE = None if sys.stdout.isatty() else 140
"""Columns of a table that goes to a file or a pipe."""

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
    drawn = Table(title=Text(title, "table.title"), title_justify="left")
    for column in columns:
        number = any(isinstance(row[column], int | Decimal) for row in rows)
        drawn.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        drawn.add_row(*(Text("" if row[column] is None else _cell(row[column])) for column in columns))
    out.print(drawn)


def _cell(value: object) -> str:
    return decimal(value) if isinstance(value, Decimal) else str(value)
