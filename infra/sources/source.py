"""Demo trade as a stream of commands, and what the read models must show once it has been sent.

No float reaches a command: money and prices travel as plain decimals in strings, pieces as integers.
A command's body never depends on how much of a file is asked for, so that a longer run repeats a shorter one exactly.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

Command = dict[str, object]
"""As `POST /v1/commands` takes it: `type`, `command_id`, `effective_at` and the fields of its type."""

DERIVED = "derived:opening"
"""The document of an opening stock that the data does not tell: it knows sales, but no receipts."""


class SourceMissing(Exception):
    """The data of a source is not installed."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the books must show when every command has been taken."""

    currency: str
    lines: int
    clients: int
    products: int
    warehouses: int
    received: Decimal
    shipments: int
    units: Decimal
    invoices: int
    amount: Decimal
    payments: int
    paid: Decimal
    written_off: Decimal = Decimal(0)
    unapplied: Decimal = Decimal(0)
    deals: int = 0
    won: int = 0
    lost: int = 0
    left_out: int = 0
    ageing: Mapping[str, Decimal] = field(default_factory=dict)


class Source(Protocol):
    name: str
    title: str

    def commands(self) -> Iterator[Command]:
        """In the order they should be sent."""

    def count(self) -> int:
        """How many `commands` gives, without making them."""

    def totals(self) -> Totals:
        """Told by the data itself, by another way than `commands` takes."""


def data_file(package: str, path: str) -> Path:
    """A file of a package that is never imported: what it imports itself, such as pandas, is not installed."""
    spec = find_spec(package)
    file = Path(spec.origin).parent / path if spec and spec.origin else None
    if file is None or not file.is_file():
        raise SourceMissing(f"{package}/{path} is not installed: run `make install`")
    return file


def plain(cents: Any) -> Any:
    """Whole cents as plain decimals: 1250 becomes "12.50"."""
    units = pc.divide(cents, 100)
    rest = pc.subtract(cents, pc.multiply(units, 100))
    return pc.binary_join_element_wise(text(units), pc.utf8_lpad(text(rest), 2, "0"), ".")


def text(column: Any) -> Any:
    return column.cast(pa.string())


def three_quarters(cents: Any, units: Any) -> Any:
    """A derived unit cost, in cents: 3/4 of the mean price, half up, never nothing."""
    cost = pc.divide(pc.add(pc.multiply(cents, 3), pc.multiply(units, 2)), pc.multiply(units, 4))
    return pc.max_element_wise(cost, 1)
