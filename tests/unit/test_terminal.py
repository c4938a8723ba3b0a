"""Tables: a figure is shown whole, however narrow the terminal; texts are folded."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from api.cli import terminal

Shown = Callable[..., list[str]]
"""The lines of a table, at so many columns, or in a pipe."""

TITLE = "on_hand of /v1/stock/balances?product=p-1082185&warehouse=store-319&as_of=2017-01-06&known_at=91180"
WRITTEN_OFF = {
    "position": 91178,
    "day": date(2017, 1, 3),
    "type": "stock.written_off",
    "stream": "stock-store-319/p-1082185",
    "actor": "warehouse-clerk",
    "contribution": Decimal("-12345.678901"),
    "total": Decimal("123456.789012"),
}
OWED = {
    "table": "receivables",
    "cell": "client C1, counterparty K1, currency EUR, document INV-2026-000123, due_on 2026-06-10",
    "figure": "amount",
    "was": "1234567.89",
    "is": "-234567.8901",
}
ESTIMATED = {
    "table": "deal_facts",
    "cell": "deal D, effective_at 2026-05-02T12:00:00+00:00, position 1234567",
    "figure": "deal.estimated",
    "was": None,
    "is": "pipeline sales, client C1, amount 7654321.99, currency EUR, minor_units 2",
}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    def show(rows: Sequence[Mapping[str, Any]], width: int | None) -> list[str]:
        file = StringIO()
        console = Console(file=file, width=width or 80, force_terminal=width is not None, color_system=None)
        monkeypatch.setattr(terminal, "out", console)
        terminal.table(TITLE, list(rows[0]), rows)
        return file.getvalue().splitlines()

    return show


def words(lines: Sequence[str]) -> list[str]:
    return "\n".join(lines).replace("│", " ").replace(",", " ").split()


@pytest.mark.parametrize("width", [20, 60, 80, 100, 140, None])
def test_numbers_days_and_positions_are_whole_at_any_width(shown: Shown, width: int | None) -> None:
    assert {"91178", "2017-01-03", "-12345.678901", "123456.789012"} <= {*words(shown([WRITTEN_OFF], width))}
    found = {*words(shown([OWED, ESTIMATED], width))}
    assert {"1234567.89", "-234567.8901", "2026-06-10"} <= found
    assert {"2026-05-02T12:00:00+00:00", "1234567", "7654321.99"} <= found


@pytest.mark.parametrize("rows", [[WRITTEN_OFF], [OWED, ESTIMATED]])
def test_a_table_that_does_not_fit_is_folded_and_says_all(shown: Shown, rows: list[dict[str, Any]]) -> None:
    lines = shown(rows, 80)
    assert max(map(len, lines[1:])) <= 80
    columns = zip(*(line.strip("│").split("│") for line in lines if line.startswith("│")), strict=True)
    told = ["".join(column).replace(" ", "") for column in columns]
    assert told == ["".join(str(row[name] or "") for row in rows).replace(" ", "") for name in rows[0]]


@pytest.mark.parametrize("rows", [[WRITTEN_OFF], [OWED, ESTIMATED]])
def test_a_pipe_is_as_wide_as_its_table(shown: Shown, rows: list[dict[str, Any]]) -> None:
    lines = [line for line in shown(rows, None) if line.startswith("│")]
    assert [[cell.strip() for cell in line.strip("│").split("│")] for line in lines] == [
        [str("" if cell is None else cell) for cell in row.values()] for row in rows
    ]


@pytest.mark.parametrize("width", [80, None])
def test_a_title_is_a_line_of_its_own(shown: Shown, width: int | None) -> None:
    assert shown([{"position": 1}], width)[0] == TITLE


def test_a_table_that_fits_is_no_wider_than_it_need_be(shown: Shown) -> None:
    assert shown([{"position": 7, "actor": "anna"}], 80)[1:] == [
        "┏━━━━━━━━━━┳━━━━━━━┓",
        "┃ position ┃ actor ┃",
        "┡━━━━━━━━━━╇━━━━━━━┩",
        "│        7 │ anna  │",
        "└──────────┴───────┘",
    ]
