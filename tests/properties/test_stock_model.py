"""Stock against a slow model in plain lists: what is refused, what is there on each day, what was known of it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from commands.bus import Accepted, Bus, Refused
from commands.command import parse
from tests.properties.books import Books, entered
from tests.properties.stock_model import NORTH, SOUTH, Stock
from tests.properties.stock_model import Refused as ModelRefused
from tests.unit.memory_ledger import MemoryLedger

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PRODUCT = "lamp"

days = st.integers(1, 12)
quantities = st.integers(1, 6)
places = st.sampled_from([NORTH, NORTH, SOUTH])
lots = st.sampled_from(["", "", "A", "B"])
EXPIRES = {"A": 20, "B": 999, "": 999}

Said = tuple[str, dict[str, Any]]
"""A method of the model, and what it is given."""


def says(verb: str, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Said]:
    return st.tuples(st.just(verb), st.fixed_dictionaries(given))


moves = {"place": places, "day": days, "quantity": quantities, "lot": lots}
reservations, orders, transfers = (st.sampled_from([f"{kind}{n}" for n in (1, 2)]) for kind in "ROT")
early = {**moves, "day": st.integers(1, 4)}
receipts = st.lists(says("receive", **{**early, "lot": st.sampled_from(["", "A", "B"])}), min_size=2, max_size=5)
commands = st.one_of(
    says("receive", **moves),
    says("receive", **moves, order=st.sampled_from(["", "O1", "O2"])),
    says("ship", **moves),
    says("ship", **moves, reservation=reservations),
    says("write_off", **moves),
    says("return_in", **moves),
    says("return_out", **moves),
    says("count", place=places, day=days, counted=st.integers(0, 8), lot=lots),
    says("reserve", place=places, day=days, quantity=st.integers(1, 3), id=reservations),
    says("reserve", place=st.just(NORTH), day=st.integers(1, 5), quantity=quantities, id=reservations),
    says("release", id=reservations, day=days),
    says("order", place=places, day=days, quantity=quantities, id=orders),
    says("cancel_order", id=orders, day=days),
    says("dispatch", day=days, quantity=quantities, id=transfers, lot=lots),
    says("accept", id=transfers, day=days, quantity=st.integers(0, 4), loss=st.integers(0, 2)).filter(
        lambda said: said[1]["quantity"] + said[1]["loss"] > 0
    ),
)

#: It begins with something to take from.
sayings = st.builds(lambda first, then: first + then, receipts, st.lists(commands, max_size=22))


def command(verb: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The same over the wire."""
    names = {"place": "warehouse", "id": {"reserve": "reservation", "release": "reservation"}.get(verb, "order")}
    if verb in ("dispatch", "accept"):
        names["id"] = "transfer"
    fields = {names.get(name, name): value for name, value in given.items() if name != "day" and value != ""}
    if verb not in ("release", "cancel_order", "accept"):
        fields["product"] = PRODUCT
    if verb == "receive":
        expiry = {"expires_on": "2026-05-20"} if given["lot"] == "A" else {}
        fields |= {"cost": "1.00", "currency": "EUR", **expiry}
    if verb == "write_off":
        fields["reason"] = "damage"
    if verb.startswith("return"):
        fields["document"] = "X"
    if verb == "dispatch":
        fields |= {"from_warehouse": NORTH, "to_warehouse": SOUTH}
    return {"type": f"stock.{verb}", "effective_at": f"2026-05-{given['day']:02}T12:00:00Z", **fields}


class Played:
    """The commands given to the product and to the model; both must say the same of each."""

    def __init__(self, south_allows: bool) -> None:
        numbers = count(1)
        self.ledger = MemoryLedger()
        self.bus = Bus(self.ledger, lambda: NOW, lambda: f"new-{next(numbers)}")
        self.model = Stock({SOUTH} if south_allows else set())
        self._say(
            {"type": "product.register", "product": PRODUCT, "name": "L", "unit": "pcs", "scale": 0, "costing": "fifo"}
        )
        for place in (NORTH, SOUTH):
            policy = "allow" if place in self.model.allows else "forbid"
            self._say({"type": "warehouse.register", "warehouse": place, "name": "W", "negative_stock": policy})

    def _say(self, body: dict[str, Any]) -> Accepted | Refused:
        [outcome] = self.bus.execute([parse(body)])
        return outcome

    def play(self, verb: str, given: dict[str, Any]) -> None:
        outcome = self._say(command(verb, given))
        expires = {"expires": EXPIRES[given["lot"]]} if verb == "receive" else {}
        refused = self._refused(verb, {**given, **expires})
        if refused is None:
            assert isinstance(outcome, Accepted), (verb, given, outcome)
            return
        assert isinstance(outcome, Refused), (verb, given, refused.facts)
        assert outcome.refusal.code == refused.code
        assert {name: _plain(outcome.refusal.facts[name]) for name in refused.facts} == refused.facts

    def _refused(self, verb: str, given: dict[str, Any]) -> ModelRefused | None:
        try:
            getattr(self.model, verb)(**given)
        except ModelRefused as refused:
            return refused
        return None

    def expected(self, day: int) -> dict[tuple[str, str], dict[str, int]]:
        """By warehouse and lot, what the balances must say at the end of a day; rows of zeros are left out."""
        rows = {}
        for place in (NORTH, SOUTH):
            for lot in {*self.model.known(place), "", "A", "B"}:
                on_hand, transit = self.model.on_hand(place, lot, day), self.model.in_transit(place, lot, day)
                reserved = self.model.reserved(place, day) if not lot else 0
                incoming = self.model.ordered(place, day) if not lot else 0
                figures = {"on_hand": on_hand, "reserved": reserved, "in_transit": transit, "incoming": incoming}
                if any(figures.values()):
                    free = on_hand - reserved
                    rows[place, lot] = {**figures, "available": free, "forecast": free + incoming}
        return rows


def _plain(fact: object) -> object:
    return str(fact) if isinstance(fact, date) else fact


def balances(books: Books, **moment: object) -> dict[tuple[str, str], dict[str, int]]:
    rows = books.items("/v1/stock/balances", **moment)
    figures = ("on_hand", "reserved", "in_transit", "incoming", "available", "forecast")
    return {(row["warehouse"], row["lot"] or ""): {name: int(row[name]) for name in figures} for row in rows}


@settings(max_examples=120)
@given(said=sayings, south_allows=st.booleans())
@example(
    said=[
        ("receive", {"place": NORTH, "day": 1, "quantity": 6, "lot": "A"}),
        ("count", {"place": NORTH, "day": 5, "counted": 2, "lot": ""}),
        ("receive", {"place": NORTH, "day": 3, "quantity": 4, "lot": "B"}),
        ("ship", {"place": NORTH, "day": 4, "quantity": 6, "lot": ""}),
    ],
    south_allows=False,
)
def test_stock_agrees_with_a_slow_model(books: Books, said: list[Said], south_allows: bool) -> None:
    played = Played(south_allows)
    for verb, fields in said:
        played.play(verb, fields)
    books.wipe()
    books.project(entered(played.ledger.log.entries))
    for day in range(1, 14):
        assert balances(books, as_of=f"2026-05-{day:02}") == played.expected(day)


@settings(max_examples=40)
@given(said=sayings, known=st.integers(0, 20), day=days)
def test_what_was_known_of_stock_stays_known(books: Books, said: list[Said], known: int, day: int) -> None:
    played = Played(False)
    for verb, fields in said[:known]:
        played.play(verb, fields)
    position, then = len(played.ledger.log.entries), played.expected(day)
    for verb, fields in said[known:]:
        played.play(verb, fields)
    books.wipe()
    books.project(entered(played.ledger.log.entries))
    assert balances(books, as_of=f"2026-05-{day:02}", known_at=position) == then


@settings(max_examples=40)
@given(said=sayings, period=st.tuples(days, days).map(sorted))
def test_opening_and_turnovers_make_the_closing_by_totals_and_by_movements(
    books: Books, said: list[Said], period: list[int]
) -> None:
    played = Played(True)
    for verb, fields in said:
        played.play(verb, fields)
    books.wipe()
    books.project(entered(played.ledger.log.entries))
    first, last = (f"2026-05-{day:02}" for day in period)
    moved: dict[tuple[str, str], int] = {}
    for row in books.items("/v1/stock/movements", **{"from": first, "to": last}):
        key = row["warehouse"], row["lot"] or ""
        moved[key] = moved.get(key, 0) + int(row["quantity"])
    for row in books.items("/v1/stock/turnovers", **{"from": first, "to": last}):
        key = row["warehouse"], row["lot"] or ""
        assert row["opening"] + row["received"] - row["issued"] == row["closing"]
        assert row["closing"] == played.model.on_hand(*key, period[1])
        assert row["received"] - row["issued"] == moved.get(key, 0)
