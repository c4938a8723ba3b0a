"""Stock once more, told slowly: plain lists of what was said, looked through from the beginning for each question.

No code of domain/ or projections/ is used here. Days are numbers, quantities are integers. A count fixes what each lot
it covers holds at the end of its day, whatever becomes known later of the days before.
"""

from dataclasses import dataclass, field

NORTH, SOUTH = "north", "south"
LAST = 31


@dataclass
class Told:
    """Something that happened at a place: a change of a lot, or a count that fixes lots (None: all of them)."""

    place: str
    day: int
    lot: str = ""
    change: int = 0
    fixes: dict[str, int] | None = None
    covers: str | None = None


class Refused(Exception):
    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass
class Promise:
    place: str
    day: int
    left: int


@dataclass
class Transfer:
    day: int
    parts: list[list[object]]


@dataclass
class Stock:
    allows: set[str] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)
    promised: list[tuple[str, int, int]] = field(default_factory=list)
    incoming: list[tuple[str, int, int]] = field(default_factory=list)
    transit: list[tuple[str, int, str, int]] = field(default_factory=list)
    lots: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    reservations: dict[str, Promise] = field(default_factory=dict)
    orders: dict[str, Promise] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)

    def on_hand(self, place: str, lot: str, day: int) -> int:
        """In the order of days, and on one day in the order in which it was told."""
        held = 0
        for told in sorted(self.told, key=lambda told: told.day):
            if told.place != place or told.day > day:
                continue
            if told.fixes is None:
                held += told.change if told.lot == lot else 0
            elif told.covers in (None, lot):
                held = told.fixes.get(lot, 0)
        return held

    def total(self, place: str, day: int) -> int:
        return sum(self.on_hand(place, lot, day) for lot in self.known(place))

    def reserved(self, place: str, day: int) -> int:
        return sum(change for where, since, change in self.promised if where == place and since <= day)

    def in_transit(self, place: str, lot: str, day: int) -> int:
        return sum(n for where, since, which, n in self.transit if (where, which) == (place, lot) and since <= day)

    def ordered(self, place: str, day: int) -> int:
        return sum(change for where, since, change in self.incoming if where == place and since <= day)

    def known(self, place: str) -> list[str]:
        """Those that expire first, then those that came first."""
        here = {lot: told for (where, lot), told in self.lots.items() if where == place}
        return sorted(here, key=lambda lot: (*here[lot], lot))

    def receive(self, place: str, day: int, quantity: int, lot: str = "", order: str = "", expires: int = 999) -> None:
        if order:
            promise = self._standing(self.orders, order, place, day)
            filled = min(promise.left, quantity)
            self._fill(self.orders, order, filled)
            self.incoming.append((place, day, -filled))
        self._change(place, day, lot, quantity, expires)

    def ship(self, place: str, day: int, quantity: int, lot: str = "", reservation: str = "") -> None:
        left = self._standing(self.reservations, reservation, place, day).left if reservation else 0
        parts = self._take(place, day, quantity, lot, min(left, quantity))
        if kept := min(left, quantity):
            self._fill(self.reservations, reservation, kept)
            self.promised.append((place, day, -kept))
        self._leave(place, day, parts)

    def write_off(self, place: str, day: int, quantity: int, lot: str = "") -> None:
        self._leave(place, day, self._take(place, day, quantity, lot, None))

    def return_in(self, place: str, day: int, quantity: int, lot: str = "") -> None:
        self._change(place, day, lot, quantity, 999)

    def return_out(self, place: str, day: int, quantity: int, lot: str = "") -> None:
        self._leave(place, day, self._take(place, day, quantity, lot, 0))

    def count(self, place: str, day: int, counted: int, lot: str = "") -> None:
        lots = [lot] if lot else self.known(place)
        held = {each: self.on_hand(place, each, day) for each in lots}
        missing = sum(held.values()) - counted
        fixes = dict(held)
        for each in lots:
            if missing > 0:
                less = min(max(held[each], 0), missing)
                fixes[each] -= less
                missing -= less
        fixes[lot] = fixes.get(lot, 0) - missing
        told = Told(place, day, fixes=fixes, covers=lot or None)
        if place not in self.allows:
            for each in lots:
                if fixes[each] < held[each]:
                    self._check_days(place, each, day, held[each] - fixes[each])
        self.told.append(told)
        for each in fixes:
            if found := fixes[each] - held.get(each, 0):
                known, since = self.lots.get((place, each), (999, 999))
                self.lots[place, each] = (known, min(since, day) if found > 0 else since)

    def reserve(self, place: str, day: int, quantity: int, id: str) -> None:
        if place not in self.allows:
            on, free = self._least_free(place, day)
            self._check(free, quantity, on)
        if id in self.reservations:
            raise Refused("already_exists")
        self.reservations[id] = Promise(place, day, quantity)
        self.promised.append((place, day, quantity))

    def release(self, id: str, day: int) -> None:
        promise = self._standing(self.reservations, id, None, day)
        self.promised.append((promise.place, day, -promise.left))
        promise.left = 0

    def order(self, place: str, day: int, quantity: int, id: str) -> None:
        if id in self.orders:
            raise Refused("already_exists")
        self.orders[id] = Promise(place, day, quantity)
        self.incoming.append((place, day, quantity))

    def cancel_order(self, id: str, day: int) -> None:
        promise = self._standing(self.orders, id, None, day)
        self.incoming.append((promise.place, day, -promise.left))
        promise.left = 0

    def dispatch(self, day: int, quantity: int, id: str, lot: str = "") -> None:
        parts = self._take(NORTH, day, quantity, lot, 0)
        if id in self.transfers:
            raise Refused("already_exists")
        self.transfers[id] = Transfer(day, [[each, part, self._expiry(NORTH, each)] for each, part in parts])
        self.transit += [(SOUTH, day, each, part) for each, part in parts]
        self._leave(NORTH, day, parts)

    def accept(self, id: str, day: int, quantity: int, loss: int) -> None:
        transfer = self.transfers.get(id)
        if transfer is None or not transfer.parts:
            raise Refused("not_found")
        if day < transfer.day:
            raise Refused("out_of_order")
        open = sum(int(str(part)) for _, part, _ in transfer.parts)
        if open < quantity + loss:
            raise Refused("transfer_exceeded", open=open, shortfall=quantity + loss - open)
        for part in transfer.parts:
            lot, there, expires = str(part[0]), int(str(part[1])), int(str(part[2]))
            here = min(quantity, there)
            gone = min(loss, there - here)
            quantity, loss = quantity - here, loss - gone
            part[1] = there - here - gone
            self.transit.append((SOUTH, day, lot, -here - gone))
            if here:
                self._change(SOUTH, day, lot, here, expires)
        transfer.parts = [part for part in transfer.parts if part[1]]

    def _expiry(self, place: str, lot: str) -> int:
        return self.lots.get((place, lot), (999, 0))[0]

    def _change(self, place: str, day: int, lot: str, change: int, expires: int) -> None:
        self.told.append(Told(place, day, lot, change))
        known, since = self.lots.get((place, lot), (999, 999))
        self.lots[place, lot] = (min(known, expires), min(since, day) if change > 0 else since)

    def _leave(self, place: str, day: int, parts: list[tuple[str, int]]) -> None:
        for lot, part in parts:
            self._change(place, day, lot, -part, 999)

    def _take(self, place: str, day: int, quantity: int, lot: str, promised: int | None) -> list[tuple[str, int]]:
        strict = place not in self.allows
        parts: dict[str, int] = {}
        left = quantity
        needed = day
        for each in [lot] if lot else self.known(place):
            held = {at: self.on_hand(place, each, at) for at in range(day, self._count_after(place, each, day))}
            needed = max(needed, min(held, key=lambda at: (held[at], at)))
            parts[each] = max((n for n in range(1, left + 1) if self._can_bear(place, each, day, n)), default=0)
            left -= parts[each]
        if strict and left:
            self._check(quantity - left, quantity, needed)
        if strict and promised is not None and any(where == place for where, _, _ in self.promised):
            end = max((self._count_after(place, each, day) for each, part in parts.items() if part), default=LAST + 1)
            at, free = self._least_free(place, day, end)
            self._check(max(free, 0) + promised, quantity, at)
        parts[lot] = parts.get(lot, 0) + left
        return [(each, part) for each, part in parts.items() if part]

    def _can_bear(self, place: str, lot: str, day: int, quantity: int) -> bool:
        """Whether no day would end below nothing that does not do so already for lack of this."""
        end = self._count_after(place, lot, day)
        return all(self.on_hand(place, lot, each) >= quantity for each in range(day, end))

    def _count_after(self, place: str, lot: str, day: int) -> int:
        """The day of the next count that covers the lot."""
        counts = [t for t in self.told if t.place == place and t.fixes is not None and t.covers in (None, lot)]
        return min((t.day for t in counts if t.day > day), default=LAST + 1)

    def _check_days(self, place: str, lot: str, day: int, less: int) -> None:
        if not self._can_bear(place, lot, day, less):
            raise Refused("insufficient_stock")

    def _least_free(self, place: str, day: int, end: int = LAST + 1) -> tuple[int, int]:
        """The day before the end on which least is there that nobody was promised, and how much."""
        free = {each: self.total(place, each) - self.reserved(place, each) for each in range(day, end)}
        least = min(free, key=lambda each: (free[each], each))
        return least, free[least]

    def _check(self, available: int, quantity: int, day: int) -> None:
        if available < quantity:
            on = f"2026-05-{day:02}"
            raise Refused("insufficient_stock", available=available, shortfall=quantity - available, on=on)

    def _standing(self, promises: dict[str, Promise], id: str, place: str | None, day: int) -> Promise:
        promise = promises.get(id)
        if promise is None or not promise.left or (place and promise.place != place):
            raise Refused("not_found")
        if day < promise.day:
            raise Refused("out_of_order")
        return promise

    def _fill(self, promises: dict[str, Promise], id: str, quantity: int) -> None:
        promises[id].left -= quantity
