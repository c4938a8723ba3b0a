"""CDNOW: what the 23,570 customers of early 1997 bought in eighteen months (Fader and Hardie, by lifetimes).

A line is a purchase, its full duplicates and its zero amounts too: ids take the line's number to keep them apart.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from infra.sources.source import DERIVED, Command, Totals, data_file, plain, three_quarters

CURRENCY = "USD"
START = "1997-01-01T00:00:00Z"
FIELDS = {"client": (0, 6), "day": (6, 15), "cds": (15, 18), "amount": (18, 26)}


class Purchase(NamedTuple):
    day: str
    number: int
    client: str
    cds: int
    amount: str


class Cdnow:
    name = "cdnow"
    title = "CDNOW: eighteen months of a record shop"

    def __init__(self, limit: int | None = None) -> None:
        if limit is not None and limit < 1:
            raise ValueError("limit: at least 1")
        self.limit = limit

    def commands(self) -> Iterator[Command]:
        purchases = sorted(self._purchases())
        yield from self._setup(sorted({purchase.client for purchase in purchases}))
        for purchase in purchases:
            yield from _sale(purchase)

    def count(self) -> int:
        paid = pc.sum(pc.greater(self._lines["amount"], 0)).as_py()
        clients = pc.count_distinct(self._lines["client"]).as_py()
        return 3 + int(clients) + 2 * len(self._lines) + int(paid)

    def totals(self) -> Totals:
        lines = self._lines
        amount = pc.sum(lines["amount"]).as_py()
        return Totals(
            currency=CURRENCY,
            lines=len(lines),
            clients=pc.count_distinct(lines["client"]).as_py(),
            products=1,
            warehouses=1,
            received=Decimal(pc.sum(self._file["cds"]).as_py()),
            shipments=len(lines),
            units=Decimal(pc.sum(lines["cds"]).as_py()),
            invoices=len(lines),
            amount=amount,
            payments=pc.sum(pc.greater(lines["amount"], 0)).as_py(),
            paid=amount,
        )

    @cached_property
    def _file(self) -> Any:
        """The whole file, cut at its fixed widths."""
        rows = pa.array(_path().read_text().splitlines()[1:])
        cut = {name: pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(rows, *at)) for name, at in FIELDS.items()}
        types = {"cds": pa.int64(), "amount": pa.decimal128(18, 2)}
        return pa.table({name: column.cast(types.get(name, pa.string())) for name, column in cut.items()})

    @property
    def _lines(self) -> Any:
        return self._file.slice(0, self.limit)

    def _purchases(self) -> Iterator[Purchase]:
        with _path().open() as file:
            for number, line in enumerate(islice(file, 1, self.limit and self.limit + 1), 1):
                client, day, cds, amount = line.split()
                yield Purchase(f"{day[:4]}-{day[4:6]}-{day[6:]}", number, client, int(cds), amount)

    def _setup(self, clients: list[str]) -> Iterator[Command]:
        warehouse: Command = {"warehouse": "cdnow", "name": "CDNOW", "negative_stock": "forbid"}
        yield _head("warehouse.register", "warehouse") | warehouse
        product: Command = {"product": "cd", "name": "Compact disc", "unit": "pcs", "scale": 0, "costing": "average"}
        yield _head("product.register", "product") | product
        for client in clients:
            told: Command = {"client": f"cdnow-{client}", "name": f"Customer {client}", "kind": "person"}
            yield _head("client.register", f"client:{client}") | told | {"source": self.name}
        yield self._opening()

    def _opening(self) -> Command:
        """All the discs that the file sells, for it knows no receipts."""
        cds = pc.sum(self._file["cds"])
        cents = pa.scalar(int(pc.sum(self._file["amount"]).as_py() * 100))
        return _head("stock.receive", "receive") | {
            "product": "cd",
            "warehouse": "cdnow",
            "quantity": cds.as_py(),
            "unit_cost": plain(three_quarters(cents, cds)).as_py(),
            "currency": CURRENCY,
            "document": DERIVED,
        }


def _path() -> Any:
    return data_file("lifetimes", "datasets/CDNOW_master.txt")


def _head(type_: str, what: str, at: str = START) -> Command:
    return {"type": type_, "command_id": f"cdnow:{what}", "effective_at": at}


def _sale(purchase: Purchase) -> Iterator[Command]:
    day, number, client, cds, amount = purchase
    document, at = f"cdnow-{number}", f"{day}T00:00:00Z"
    stock: Command = {"product": "cd", "warehouse": "cdnow", "quantity": cds, "document": document}
    money: Command = {"client": f"cdnow-{client}", "amount": amount, "currency": CURRENCY}
    dates: Command = {"issued_on": day, "due_on": day}
    yield _head("stock.ship", f"ship:{number}", at) | stock
    yield _head("invoice.issue", f"invoice:{number}", at) | {"invoice": document} | money | dates
    if amount != "0.00":
        allocate = [{"invoice": document, "amount": amount}]
        yield _head("payment.receive", f"payment:{number}", at) | {"payment": document, **money, "allocate": allocate}
