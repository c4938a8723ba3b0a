"""An explanation: which events are behind a query's figures, and what each contributed to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Cell(NamedTuple):
    """A figure in an answer, and the columns by which its pieces are told from those of other cells."""

    figure: str
    value: Any
    key: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Its SQL (``sql/explain/``, by the name of the query's) gives *pieces*: what the query adds up, before it does.

    Each piece is of one event, by its ``position``, and has the columns that tell the query's rows apart, ``keys``, and
    one for each figure. A figure in ``sums`` is its column's sum. One in ``ratios`` is no sum (a rate, a median): it is
    explained by the columns that it is made of, each told ``apart`` by one more column if there is one: by ``month``,
    ``measure 2026-05``. A piece without a position is of no event, and tells that there is such a part. ``within`` is
    the column that tells apart what is nested in an answer: ``stages.offer.deals`` are the deals of the pieces whose
    ``stage`` is offer.
    """

    sums: tuple[str, ...] = ()
    ratios: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    within: str = ""
    sql: str = ""

    #: Pieces of one event are added up.
    adds_up = True

    def cells(self, answer: Mapping[str, Any]) -> dict[str, Cell]:
        """Every figure of an answer, or of a list's row, by its name in there."""
        key = {name: answer[name] for name in self.keys if name in answer}
        return dict(self._cells(answer, key, ""))

    def parts(self, figure: str) -> tuple[str, ...]:
        return self.ratios.get(figure, (figure,))

    def _cells(self, node: Mapping[str, Any], key: Mapping[str, Any], path: str) -> Iterator[tuple[str, Cell]]:
        for name, value in node.items():
            if isinstance(value, Mapping):
                yield from self._cells(value, {**key, self.within: name}, f"{path}{name}.")
            elif isinstance(value, list):
                for number, each in enumerate(value, start=1):
                    place = each.get(self.within, number)
                    yield from self._cells(each, {**key, self.within: place}, f"{path}{name}.{place}.")
            elif name in self.sums or name in self.ratios:
                yield path + name, Cell(name, value, key)


class Facts(Explanation):
    """Of cards: a fact is explained by the event that told it last, and what that contributed is the fact as text."""

    adds_up = False

    def cells(self, answer: Mapping[str, Any]) -> dict[str, Cell]:
        key = {name: answer[name] for name in self.keys}
        facts = self._facts(answer["facts"], ())
        return {".".join(path): Cell("value", value, {**key, "fact": self.fact(*path)}) for path, value in facts}

    def _facts(self, node: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        for name, value in node.items():
            path = *above, name
            if isinstance(value, Mapping):
                yield from self._facts(value, path)
            elif isinstance(value, list) and self.within and all(self.within in each for each in value):
                for each in value:
                    yield from self._facts(each, (*path, each[self.within]))
            elif name != self.within:
                yield path, value

    def fact(self, *path: str) -> list[str]:
        """Where the card keeps it: a fact, or a part of one. No text, for names may have dots in them."""
        return list(path)
