"""Draws the pictures of docs/how-to/ask-about-the-past.md from the answers of the book that the page tells to make:

python -m docs.pictures http://localhost:8420
"""

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.terminal_theme import MONOKAI

PICTURES = Path(__file__).parent / "how-to" / "pictures"
ITEM = {"product": "p-1082185", "warehouse": "store-319"}
BEFORE = 91_178
"""All that was known when the report was made."""
DAY = "2017-01-06"
DAYS = [date(2017, 1, 1) + timedelta(days=number) for number in range(8)]

WIDE, HIGH, EDGE = 720, 300, 56
COLOURS = {"known then": "#b45309", "known now": "#1d4ed8"}


def main(address: str) -> None:
    with httpx.Client(base_url=address) as http:
        PICTURES.mkdir(exist_ok=True)
        draw("known-then-and-now", chart({"known then": on_hand(http, BEFORE), "known now": on_hand(http, None)}))
        restated = get(http, "/v1/stock/restatements", **ITEM, after=BEFORE)["items"]
        draw("restated", table("Restated", ("position", "caused_by", "on", "figure", "was", "is"), restated))
        balance = str(httpx.URL("/v1/stock/balances", params={**ITEM, "as_of": DAY}))
        explained = get(http, "/v1/audit/explain", figure=balance, cell="on_hand")
        heads = ("position", "type", "effective_at", "contribution")
        draw("explained", table(f"on_hand is {explained['value']}", heads, explained["items"]))


def draw(name: str, svg: str) -> None:
    (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")


def get(http: httpx.Client, path: str, **asked: object) -> Any:
    answer = http.get(path, params={name: str(value) for name, value in asked.items()})
    answer.raise_for_status()
    return answer.json()


def on_hand(http: httpx.Client, known_at: int | None) -> list[int]:
    """At each day's end."""
    more = {} if known_at is None else {"known_at": known_at}
    answers = [get(http, "/v1/stock/balances", **ITEM, as_of=day, **more)["items"] for day in DAYS]
    return [int(items[0]["on_hand"]) for items in answers]


def table(title: str, heads: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    drawn = Table()
    for head in heads:
        drawn.add_column(head, justify="right" if head in ("was", "is", "contribution") else "left")
    for row in rows:
        drawn.add_row(*(str(row[head]) for head in heads))
    console = Console(record=True, width=88, file=StringIO())
    console.print(drawn)
    svg = console.export_svg(title=title, theme=MONOKAI, unique_id="t")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # fonts are the reader's own


def chart(lines: Mapping[str, Sequence[int]]) -> str:
    """Each a line of steps over the days, and its figure at the end of the day that is asked about."""
    low, high = (of(figure for line in lines.values() for figure in line) for of in (min, max))
    right, down = (WIDE - 2 * EDGE) / len(DAYS), (HIGH - 2 * EDGE) / (high - low)
    marked = [day.isoformat() for day in DAYS].index(DAY)
    parts = [
        f'<text x="{EDGE + n * right + right / 2:.0f}" y="{HIGH - 20}" text-anchor="middle">{day:%d.%m.}</text>'
        for n, day in enumerate(DAYS)
    ]
    for number, (name, line) in enumerate(lines.items()):
        heights = [EDGE + (high - figure) * down for figure in line]
        steps = " ".join(f"H{EDGE + (n + 1) * right:.0f} V{y:.0f}" for n, y in enumerate([*heights[1:], heights[-1]]))
        parts += [
            f'<path d="M{EDGE} {heights[0]:.0f} {steps}" fill="none" stroke="{COLOURS[name]}" stroke-width="3"/>',
            f'<text x="{EDGE + marked * right + right / 2:.0f}" y="{heights[marked] - 8:.0f}" text-anchor="middle"'
            f' fill="{COLOURS[name]}">{line[marked]}</text>',
            f'<text x="{EDGE + number * 120}" y="28" fill="{COLOURS[name]}">{name}</text>',
        ]
    inside = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}"'
        ' font-family="sans-serif" font-size="14">\n'
        f'<rect width="{WIDE}" height="{HIGH}" fill="white"/>\n{inside}\n</svg>\n'
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
