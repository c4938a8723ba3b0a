"""What events contributed to a cell of an answer: its pieces, added up by event and joined to the book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.postgres.connection import read_sql
from infra.postgres.queries import PAGE_BYTES, Answering, within
from projections.explanation import Cell
from projections.query import Query

SQL = Path(__file__).with_name("sql")
CONTRIBUTIONS = read_sql(SQL / "contributions.sql")
PARTS = read_sql(SQL / "parts.sql")

Place = tuple[int, str]
"""Position and part: where a list of contributions goes on from."""


@dataclass(frozen=True, slots=True)
class Contributions:
    """Of a cell of a query, with what the query was given."""

    query: Query
    cell: Cell
    parts: tuple[str, ...]
    given: Mapping[str, Any]
    adds_up: bool = True
    apart: str | None = None

    def page(self, answering: Answering, after: Place | None, most: int | None) -> Sequence[Mapping[str, Any]]:
        """All of them, or a page that is bounded in bytes, too; the last one says if it ``goes_on``."""
        position, part = after or (None, None)
        more = {"after": position, "after_part": part, "most": most, "bytes": most and PAGE_BYTES}
        return answering.rows(within(self._filled(CONTRIBUTIONS), ("position", "part")), {**self._values, **more})

    def sums(self, answering: Answering) -> Mapping[str, Any]:
        """What each part is in all."""
        found = {row["part"]: row["sum"] for row in answering.rows(self._filled(PARTS), self._values)}
        return {**({} if self.apart else dict.fromkeys(self.parts, 0)), **found}

    @property
    def is_sum(self) -> bool:
        return self.adds_up and self.parts == (self.cell.figure,)

    @property
    def _values(self) -> Mapping[str, Any]:
        """What a row is of finds its pieces by index, as if it had been asked for."""
        key = {name: value for name, value in self.cell.key.items() if value is not None}
        return {**self.given, **key, **{f"key_{name}": value for name, value in key.items()}}

    def _filled(self, template: str) -> str:
        more = f" || ' ' || \"{self.apart}\"" if self.apart else ""
        parts = ", ".join(f"('{part}'{more}, \"{part}\")" for part in self.parts)
        key = " AND ".join(
            f'"{name}" IS NULL' if value is None else f'"{name}" = %(key_{name})s'
            for name, value in self.cell.key.items()
        )
        names = {
            "pieces": self.query.pieces,
            "parts": parts,
            "key": key or "true",
            "together": "sum" if self.adds_up else "max",
            "counts": "contribution IS NOT NULL" if self.adds_up else "true",
            "remains": "sum(contribution) <> 0" if self.is_sum else "true",
        }
        for name, value in names.items():
            template = template.replace(f"{{{name}}}", value)
        return template
