"""A small wholesaler with debts, made up: the part of a company's books that retail data cannot show.

It is played day by day from a fixed seed, so the books are always the same. They run from 2017-01-02 to 2017-03-31,
beside the retail data's first quarter, and open with unpaid invoices of the autumn before: debts of every age.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property, partial
from itertools import count, cycle, product
from random import Random

from infra.sources import wholesale_words as words
from infra.sources.source import Command, Totals
from infra.sources.wholesale_words import Goods

CURRENCY = "EUR"
SATURDAY, SUNDAY = 6, 7
FOUNDED, FIRST, LAST = date(2016, 9, 1), date(2017, 1, 2), date(2017, 3, 31)
MONTHS = (FIRST, date(2017, 2, 1), date(2017, 3, 1))
STAGES = tuple(words.STAGES)
ENDINGS = ("won", "won", "lost", "won", "open", "won", "lost", "open")
HABITS = ("in full", "late", "in part", "in full", "never", "in full", "in full", "late", "in part")
OLD_INVOICES = (  # when issued, and what becomes of them in the new year
    (date(2016, 9, 12), "never"),
    (date(2016, 10, 3), "late"),
    (date(2016, 10, 24), "in part"),
    (date(2016, 11, 7), "late"),
    (date(2016, 11, 21), "never"),
    (date(2016, 12, 5), "in part"),
    (date(2016, 12, 12), "in full"),
    (date(2016, 12, 19), "never"),
)
ADVANCES = ((date(2017, 1, 20), "250.00"), (date(2017, 2, 17), "1200.00"), (date(2017, 3, 24), "480.50"))
WRITE_OFFS = tuple(FIRST + timedelta(days=14 * n + 9) for n in range(6))
BUCKETS = {"current": 0, "d1_30": 30, "d31_60": 60, "d61_90": 90}


class Wholesale:
    name = "wholesale"
    title = "A wholesaler with debts (generated)"

    def __init__(self, clients: int = 24) -> None:
        if clients < 1:
            raise ValueError("clients: at least 1")
        self.clients = clients

    def commands(self) -> Iterator[Command]:
        return map(dict, self._company.said)

    def count(self) -> int:
        return len(self._company.said)

    def totals(self) -> Totals:
        return self._company.totals()

    @cached_property
    def _company(self) -> "Company":
        company = Company(self.clients)
        company.run()
        return company


@dataclass(frozen=True, slots=True)
class Deal:
    deal: str
    client: str
    goods: Goods
    warehouse: str
    quantity: Decimal
    price: Decimal
    last_stage: int
    ending: str


class Company:
    """A diary of what is to happen; each page may write commands and plan later pages."""

    def __init__(self, clients: int) -> None:
        self.said: list[Command] = []
        self.now = _at(FOUNDED)
        self._clients = [f"w-{number:02}" for number in range(1, clients + 1)]
        self._random = Random(2017)
        self._diary: list[tuple[datetime, int, Callable[[], None]]] = []
        self._pages, self._talks, self._invoices, self._payments = count(), count(1), count(1), count(1)
        self._habits = cycle(HABITS)
        self._on_hand: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._open: dict[str, tuple[date, Decimal]] = {}

    def run(self) -> None:
        self._set_up()
        self._plan_all()
        while self._diary and self._diary[0][0].date() <= LAST:
            self.now, _, happens = heapq.heappop(self._diary)
            happens()

    def say(self, type_: str, what: str, **fields: object) -> None:
        head: Command = {
            "type": type_,
            "command_id": f"w-{type_}:{what}",
            "effective_at": f"{self.now:%Y-%m-%dT%H:%M:%SZ}",
        }
        self.said.append(head | fields)

    def plan(self, at: datetime, happens: Callable[[], None]) -> None:
        heapq.heappush(self._diary, (at, next(self._pages), happens))

    def _soon(self, least: int, most: int) -> datetime:
        return self._working_hours(self.now.date() + timedelta(days=self._random.randint(least, most)))

    def _working_hours(self, day: date) -> datetime:
        day += timedelta(days={SATURDAY: 2, SUNDAY: 1}.get(day.isoweekday(), 0))
        return _at(day, self._random.randint(9, 16), self._random.randrange(0, 60, 5))

    # Setting up

    def _set_up(self) -> None:
        stages = [{"stage": stage, "name": name, "probability": p} for stage, (name, p) in words.STAGES.items()]
        self.say("pipeline.define", "wholesale", pipeline="wholesale", policy="strict", stages=stages)
        for warehouse, name in words.WAREHOUSES.items():
            self.say("warehouse.register", warehouse, warehouse=warehouse, name=name, negative_stock="forbid")
        for g in words.GOODS:
            kind = {"unit": g.unit, "scale": g.scale, "costing": g.costing}
            self.say("product.register", g.product, product=g.product, name=g.name, **kind)
        for number, client in enumerate(self._clients):
            source = words.CAME_FROM[number % len(words.CAME_FROM)]
            name = words.company(number)
            self.say("client.register", client, client=client, name=name, kind="company", source=source)

    def _plan_all(self) -> None:
        clients = cycle(self._clients)
        for day, habit in OLD_INVOICES:
            amount = _cents(Decimal(self._random.randint(20_000, 300_000)) / 100)
            self.plan(_at(day), partial(self._invoice, next(clients), amount, 30, habit))
        for day in MONTHS:
            self.plan(_at(day), self._receive)
        for day, reason in zip(WRITE_OFFS, cycle(words.WRITTEN_OFF_BECAUSE)):
            self.plan(_at(day, 17), partial(self._write_off, reason))
        for day, advance in ADVANCES:
            self.plan(_at(day, 11), partial(self._pay, next(clients), Decimal(advance)))
        for deal in self._deals():
            day = FIRST + timedelta(days=self._random.randrange(75))
            self.plan(self._working_hours(day), partial(self._enter, deal, 0))

    def _deals(self) -> Iterator[Deal]:
        wanting = (client for client in self._clients for _ in range(self._random.randint(3, 5)))
        stops = {ending: cycle(range(len(STAGES))) for ending in ("lost", "open")}
        for number, (client, ending) in enumerate(zip(wanting, cycle(ENDINGS)), 1):
            goods = self._random.choice(words.GOODS)
            price = _cents(goods.cost * self._random.randint(118, 145) / 100)
            warehouse = self._random.choice(list(words.WAREHOUSES))
            last_stage = len(STAGES) - 1 if ending == "won" else next(stops[ending])
            yield Deal(f"w-d{number:03}", client, goods, warehouse, self._some(goods), price, last_stage, ending)

    def _some(self, goods: Goods, share: int = 100) -> Decimal:
        """About a usual order, or a share of it in percent, as fine as the goods are measured."""
        finest = Decimal(1).scaleb(-goods.scale)
        some = Decimal(goods.batch) * share * self._random.randint(50, 180) / 10_000
        return max(some.quantize(finest, ROUND_HALF_UP), finest)

    # Deals

    def _enter(self, deal: Deal, number: int) -> None:
        stage = STAGES[number]
        if number == 0:
            amount = f"{_cents(deal.quantity * deal.price):f}"
            told = {"owner": self._random.choice(words.OWNERS), "source": self._random.choice(words.CAME_FROM)}
            told |= {"amount": amount, "currency": CURRENCY, "pipeline": "wholesale", "stage": stage}
            self.say("deal.open", deal.deal, deal=deal.deal, client=deal.client, **told)
        else:
            self.say("deal.move", f"{deal.deal}:{stage}", deal=deal.deal, stage=stage)
        self._talk(deal, stage)
        if number < deal.last_stage:
            self.plan(self._soon(2, 8), partial(self._enter, deal, number + 1))
        elif deal.ending != "open":
            self.plan(self._soon(2, 10), partial(self._win if deal.ending == "won" else self._lose, deal))

    def _talk(self, deal: Deal, stage: str) -> None:
        kind, direction, subject = words.TALKS[stage]
        told = {"kind": kind, "direction": direction, "subject": subject.format(deal.goods.name)}
        talk = f"w-i{next(self._talks):04}"
        self.say("interaction.log", talk, interaction=talk, client=deal.client, deal=deal.deal, **told)

    def _lose(self, deal: Deal) -> None:
        self.say("deal.lose", deal.deal, deal=deal.deal, reason=self._random.choice(words.LOST_BECAUSE))

    def _win(self, deal: Deal) -> None:
        self.say("deal.win", deal.deal, deal=deal.deal)
        place = {"product": deal.goods.product, "warehouse": deal.warehouse}
        quantity = self._take(**place, wanted=deal.quantity)
        if quantity:
            self.say("stock.ship", deal.deal, **place, quantity=f"{quantity:f}", deal=deal.deal, document=deal.deal)
            days = self._random.choice((14, 30))
            self._invoice(deal.client, _cents(quantity * deal.price), days, next(self._habits), deal=deal.deal)

    # Stock

    def _receive(self) -> None:
        for goods, warehouse in product(words.GOODS, words.WAREHOUSES):
            quantity = self._some(goods, share=300)
            cost = _cents(goods.cost * self._random.randint(95, 106) / 100)
            place = {"product": goods.product, "warehouse": warehouse}
            price = {"unit_cost": f"{cost:f}", "currency": CURRENCY, "document": f"w-{self.now:%Y-%m}"}
            self._on_hand[goods.product, warehouse] += quantity
            what = f"{goods.product}:{warehouse}:{self.now:%Y-%m}"
            self.say("stock.receive", what, **place, quantity=f"{quantity:f}", **price)

    def _write_off(self, reason: str) -> None:
        goods, warehouse = self._random.choice(words.GOODS), self._random.choice(list(words.WAREHOUSES))
        place = {"product": goods.product, "warehouse": warehouse}
        quantity = self._take(**place, wanted=self._some(goods, share=10))
        if quantity:
            self.say("stock.write_off", f"{self.now:%Y-%m-%d}", **place, quantity=f"{quantity:f}", reason=reason)

    def _take(self, product: str, warehouse: str, wanted: Decimal) -> Decimal:
        """What there is of it, at most what is wanted."""
        taken = min(wanted, self._on_hand[product, warehouse])
        self._on_hand[product, warehouse] -= taken
        return taken

    # Money

    def _invoice(self, client: str, amount: Decimal, days: int, habit: str, **deal: str) -> None:
        invoice, today = f"w-{next(self._invoices):04}", self.now.date()
        due = today + timedelta(days=days)
        money = {"client": client, "amount": f"{amount:f}", "currency": CURRENCY}
        dates = {"issued_on": today.isoformat(), "due_on": due.isoformat()}
        self.say("invoice.issue", invoice, invoice=invoice, **money, **dates, **deal)
        self._open[invoice] = due, amount
        if habit != "never":
            late = self._random.randint(8, 25) if habit == "late" else -self._random.randint(0, 4)
            share = amount if habit != "in part" else _cents(amount * self._random.randint(30, 70) / 100)
            day = max(due + timedelta(days=late), FIRST + timedelta(days=1))
            self.plan(self._working_hours(day), partial(self._pay, client, share, invoice))

    def _pay(self, client: str, amount: Decimal, invoice: str | None = None) -> None:
        payment, paid = f"w-p{next(self._payments):04}", f"{amount:f}"
        money: Command = {"client": client, "amount": paid, "currency": CURRENCY, "bank_account": "w-main"}
        if invoice:
            money["allocate"] = [{"invoice": invoice, "amount": paid}]
            due, rest = self._open[invoice]
            self._open[invoice] = due, rest - amount
        self.say("payment.receive", payment, payment=payment, **money)

    def totals(self) -> Totals:
        of = Counter(command["type"] for command in self.said)
        paid, unapplied = self._sum("payment.receive", "amount"), self._sum("payment.receive", "amount", "allocate")
        return Totals(
            currency=CURRENCY,
            lines=len(self.said),
            clients=of["client.register"],
            products=of["product.register"],
            warehouses=of["warehouse.register"],
            received=self._sum("stock.receive", "quantity"),
            shipments=of["stock.ship"],
            units=self._sum("stock.ship", "quantity"),
            invoices=of["invoice.issue"],
            amount=self._sum("invoice.issue", "amount"),
            payments=of["payment.receive"],
            paid=paid,
            written_off=self._sum("stock.write_off", "quantity"),
            unapplied=unapplied,
            deals=of["deal.open"],
            won=of["deal.win"],
            lost=of["deal.lose"],
            ageing=self._ageing(-unapplied),
        )

    def _sum(self, type_: str, field: str, without: str = "") -> Decimal:
        those = (command for command in self.said if command["type"] == type_ and without not in command)
        return sum((Decimal(str(command[field])) for command in those), Decimal(0))

    def _ageing(self, unapplied: Decimal) -> dict[str, Decimal]:
        """As of the last day, as `/v1/receivables/ageing` adds up over all clients."""
        columns = dict.fromkeys([*BUCKETS, "over_90"], Decimal(0)) | {"unapplied": unapplied}
        for due, rest in self._open.values():
            columns[_bucket((LAST - due).days)] += rest
        return columns | {"balance": sum(columns.values(), Decimal(0))}


def _bucket(overdue: int) -> str:
    return next((bucket for bucket, days in BUCKETS.items() if overdue <= days), "over_90")


def _at(day: date, hour: int = 8, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
