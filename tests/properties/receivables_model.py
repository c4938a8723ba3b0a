"""Receivables told once more, slowly: lists of what moved, added up whenever somebody asks. No code of domain/ is used.

Everything happens at noon, so a day is a time. A command gives the reasons to refuse it, any of which may be told.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

Reasons = set[str]
Happened = list[tuple[str, date]]


@dataclass(frozen=True)
class Move:
    position: int
    on: date
    type: str
    client: str
    counterparty: str
    currency: str
    document: str
    due: date | None
    amount: int
    entry: str


@dataclass
class Invoice:
    id: str
    client: str
    counterparty: str
    currency: str
    issued_on: date
    terms: dict[date, int]
    cancelled: bool = False
    lost: list[tuple[date, int, date]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.terms.values())


@dataclass
class Payment:
    id: str
    client: str
    counterparty: str
    currency: str
    amount: int
    on: date
    bank_account: str
    refunded: int = 0
    bounced: bool = False


@dataclass
class Applied:
    payment: Payment
    invoice: Invoice
    due: date
    amount: int
    on: date
    recovery: bool = False


class Model:
    def __init__(self) -> None:
        self.moves: list[Move] = []
        self.happened: list[tuple[str, date]] = []
        self.invoices: dict[str, Invoice] = {}
        self.payments: dict[str, Payment] = {}
        self.applied: list[Applied] = []
        self.added: set[tuple[str, str]] = set()
        self.retired: dict[tuple[str, str], date] = {}
        self.gone: list[tuple[tuple[str, str], date, date]] = []
        self.agreed: dict[tuple[str, str], date] = {}
        self.limits: list[tuple[int, date, str, int]] = []
        self.flows: list[tuple[int, date, str, str, str, str, int]] = []
        self.sales: list[tuple[int, date, str, str, int]] = []

    # Adding up

    def parts(self, invoice: Invoice) -> dict[date, int]:
        """What is open by due date, by all that is known."""
        return {
            due: sum(m.amount for m in self.moves if (m.document, m.due) == (invoice.id, due))
            for due in sorted(invoice.terms)
        }

    def open(self, invoice: Invoice) -> int:
        return sum(self.parts(invoice).values())

    def left(self, payment: Payment) -> int:
        return -sum(m.amount for m in self.moves if m.document == payment.id)

    def lost(self, invoice: Invoice) -> int:
        return sum(amount for _, amount, _ in invoice.lost)

    def since(self, document: str) -> date:
        """From when on there is as much of it as now: since it last became more, or more than nothing."""
        sign, amount, since = 1 if document in self.invoices else -1, 0, date.min
        for move in self.moves:
            if move.document == document:
                if move.amount * sign > 0:
                    since = max(since, move.on) if amount else move.on
                amount += move.amount * sign
        return since

    def last_freed(self, payment: str) -> date:
        return max(move.on for move in self.moves if move.document == payment and move.amount < 0)

    def balance(self, keep: Callable[[Move], bool]) -> int:
        return sum(move.amount for move in self.moves if keep(move))

    def owed(self, client: str, currency: str) -> int:
        return self.balance(lambda move: (move.client, move.currency) == (client, currency))

    # Writing down

    def write(self, type: str, on: date, *moves: tuple[Invoice | Payment, date | None, int], entry: str = "") -> None:
        self.happened.append((type, on))
        position = len(self.happened)
        for who, due, amount in moves:
            whose = who.client, who.counterparty, who.currency
            self.moves.append(Move(position, on, type, *whose, who.id, due, amount, entry or who.id))

    def take(self, invoice: Invoice, amount: int) -> Iterator[tuple[date, int]]:
        for due, open in self.parts(invoice).items():
            if taken := min(open, amount):
                yield due, taken
                amount -= taken

    # Commands

    def add(self, client: str, counterparty: str, on: date) -> Reasons:
        key = client, counterparty
        if key in self.added and key not in self.retired:
            return {"already_exists"}
        if on < self.agreed.get(key, on):
            return {"out_of_order"}
        if key in self.retired:
            self.gone.append((key, self.retired.pop(key), on))
        self.added.add(key)
        self.agreed[key] = on
        self.write("client.counterparty_added", on)
        return set()

    def retire(self, client: str, counterparty: str, on: date) -> Reasons:
        key = client, counterparty
        if key not in self.added:
            return {"not_found"}
        if key in self.retired:
            return {"counterparty_retired"}
        if on < self.agreed[key]:
            return {"out_of_order"}
        self.retired[key] = self.agreed[key] = on
        self.write("client.counterparty_retired", on)
        return set()

    def limit(self, client: str, amount: int, on: date) -> Reasons:
        if any(on < since for _, since, whose, _ in self.limits if whose == client):
            return {"out_of_order"}
        self.write("client.credit_limit_set", on)
        self.limits.append((len(self.happened), on, client, amount))
        return set()

    def issue(self, invoice: Invoice, on: date) -> Reasons:
        reasons = self._unknown(invoice.client, invoice.counterparty)
        key = invoice.client, invoice.counterparty
        if on >= self.retired.get(key, date.max) or any(key == k and a <= on < b for k, a, b in self.gone):
            reasons.add("counterparty_retired")
        limits = [amount for _, _, client, amount in self.limits if client == invoice.client]
        if invoice.currency == "EUR" and limits and self.owed(invoice.client, "EUR") + invoice.total > limits[-1]:
            reasons.add("credit_limit_exceeded")
        if not reasons:
            self.invoices[invoice.id] = invoice
            self.write("invoice.issued", on, *((invoice, due, amount) for due, amount in invoice.terms.items()))
            self.sales.append((len(self.happened), on, invoice.client, invoice.currency, invoice.total))
        return reasons

    def take_off(self, type: str, id: str, amount: int, on: date, note: str = "") -> Reasons:
        invoice = self.invoices.get(id)
        if invoice is None:
            return {"not_found"}
        if amount > self.open(invoice):
            return {"exceeds_open"}
        on, parts = max(on, self.since(id)), list(self.take(invoice, amount))
        self.write(type, on, *((invoice, due, -taken) for due, taken in parts), entry=note)
        if type == "invoice.written_off":
            invoice.lost += [(due, taken, on) for due, taken in parts]
        else:
            self.sales.append((len(self.happened), on, invoice.client, invoice.currency, -amount))
        return set()

    def cancel(self, id: str, on: date) -> Reasons:
        invoice = self.invoices.get(id)
        if invoice is None:
            return {"not_found"}
        if invoice.cancelled:
            return {"invoice_cancelled"}
        if self.open(invoice) < invoice.total:
            return {"has_allocations"}
        invoice.cancelled = True
        on = max(on, self.since(id))
        self.write("invoice.cancelled", on, *((invoice, due, -taken) for due, taken in invoice.terms.items()))
        self.sales.append((len(self.happened), on, invoice.client, invoice.currency, -invoice.total))
        return set()

    def receive(self, payment: Payment, wanted: list[tuple[str, int]] | str) -> Reasons:
        totals: dict[str, int] = {}
        for id, amount in self._oldest(payment) if isinstance(wanted, str) else wanted:
            totals[id] = totals.get(id, 0) + amount
        reasons = self._unknown(payment.client, payment.counterparty)
        for id, amount in totals.items():
            reasons |= self._not_payable(payment, id, amount)
        if sum(totals.values()) > payment.amount:
            reasons.add("over_allocation")
        if not reasons:
            self.payments[payment.id] = payment
            self.write("payment.received", payment.on, (payment, None, -payment.amount))
            self._flow(payment, "received", payment.amount)
            for id, amount in totals.items():
                self._pay(payment, self.invoices[id], amount, payment.on)
        return reasons

    def allocate(self, id: str, invoice: str, amount: int, on: date) -> Reasons:
        payment = self.payments.get(id)
        if payment is None:
            return {"not_found"}
        reasons = self._not_payable(payment, invoice, amount)
        if amount > self.left(payment):
            reasons.add("over_allocation")
        if not reasons:
            self._pay(payment, self.invoices[invoice], amount, on)
        return reasons

    def offset(self, client: str, counterparty: str, id: str, amount: int, on: date) -> Reasons:
        reasons, invoice = self._unknown(client, counterparty), self.invoices.get(id)
        if invoice is None or invoice.client != client:
            return {*reasons, "not_found"}
        if counterparty == invoice.counterparty:
            reasons.add("counterparty_mismatch")
        whose = client, counterparty, invoice.currency
        payments = [
            p for p in self.payments.values() if (p.client, p.counterparty, p.currency) == whose and self.left(p)
        ]
        if amount > min(self.open(invoice), sum(map(self.left, payments))):
            reasons.add("over_allocation")
        if reasons:
            return reasons
        for payment in sorted(payments, key=lambda p: (p.on, p.id)):
            taken = min(self.left(payment), amount)
            amount -= taken
            at = max(on, self.since(id), self.since(payment.id))
            for due, part in list(self.take(invoice, taken)):
                self._apply("receivable.offset", Applied(payment, invoice, due, part, at))
        return set()

    def deallocate(self, id: str, invoice: str, amount: int, on: date) -> Reasons:
        if id not in self.payments or invoice not in self.invoices:
            return {"not_found"}
        if self.invoices[invoice].client != self.payments[id].client:
            return {"not_found"}
        those = [a for a in self.applied if (a.payment.id, a.invoice.id) == (id, invoice)]
        if amount > sum(a.amount for a in those):
            return {"over_allocation"}
        for applied in reversed(those):
            if taken := min(applied.amount, amount):
                self._undo(applied, taken, max(on, applied.on))
                amount -= taken
        return set()

    def refund(self, id: str, amount: int, on: date) -> Reasons:
        payment = self.payments.get(id)
        if payment is None:
            return {"not_found"}
        reasons = {"out_of_order"} if on < payment.on else set()
        if amount > self.left(payment):
            reasons.add("exceeds_unapplied")
        if not reasons:
            payment.refunded += amount
            on = max(on, self.since(id))
            self.write("payment.refunded", on, (payment, None, amount))
            self._flow(payment, "refunded", amount)
        return reasons

    def bounce(self, id: str, on: date) -> Reasons:
        payment = self.payments.get(id)
        if payment is None:
            return {"not_found"}
        reasons = {"out_of_order"} if on < self.last_freed(id) else set()
        if payment.bounced:
            reasons.add("payment_bounced")
        if reasons:
            return reasons
        payment.bounced = True
        for applied in [a for a in reversed(self.applied) if a.payment is payment]:
            self._undo(applied, applied.amount, max(on, applied.on))
        self.write("payment.bounced", on, (payment, None, payment.amount - payment.refunded))
        self._flow(payment, "bounced", payment.amount - payment.refunded)
        return set()

    # What commands have in common

    def _unknown(self, client: str, counterparty: str) -> Reasons:
        known = counterparty == client or (client, counterparty) in self.added
        return set() if known else {"not_found"}

    def _oldest(self, payment: Payment) -> Iterator[tuple[str, int]]:
        whose, left = (payment.client, payment.counterparty, payment.currency), payment.amount
        items = [
            (due, invoice.issued_on, invoice.id, open)
            for invoice in self.invoices.values()
            if (invoice.client, invoice.counterparty, invoice.currency) == whose
            for due, open in self.parts(invoice).items()
        ]
        for _, _, id, open in sorted(items):
            if paid := min(open, left):
                left -= paid
                yield id, paid

    def _not_payable(self, payment: Payment, id: str, amount: int) -> Reasons:
        invoice = self.invoices.get(id)
        if invoice is None or invoice.client != payment.client:
            return {"not_found"}
        reasons: Reasons = set()
        if invoice.currency != payment.currency:
            reasons.add("currency_mismatch")
        if invoice.counterparty != payment.counterparty:
            reasons.add("counterparty_mismatch")
        if amount > self.open(invoice) + self.lost(invoice):
            reasons.add("over_allocation")
        return reasons

    def _pay(self, payment: Payment, invoice: Invoice, amount: int, on: date) -> None:
        recovered = amount - min(amount, self.open(invoice))
        on = max(on, self.since(payment.id))
        for due, part in list(self.take(invoice, amount - recovered)):
            self._apply("payment.allocated", Applied(payment, invoice, due, part, max(on, self.since(invoice.id))))
        rest: list[tuple[date, int, date]] = []
        for due, lost, at in invoice.lost:
            taken = min(lost, recovered)
            recovered -= taken
            rest.append((due, lost - taken, at))
            if taken:
                self._apply("payment.allocated", Applied(payment, invoice, due, taken, max(on, at), recovery=True))
        invoice.lost = rest

    def _apply(self, type: str, applied: Applied) -> None:
        moves = [(applied.invoice, applied.due, -applied.amount)] if not applied.recovery else []
        self.write(type, applied.on, (applied.payment, None, applied.amount), *moves)
        self.applied.append(applied)

    def _undo(self, applied: Applied, amount: int, on: date) -> None:
        invoice = applied.invoice
        moves = [(invoice, applied.due, amount)] if not applied.recovery else []
        self.write("payment.deallocated", on, (applied.payment, None, -amount), *moves)
        if applied.recovery:
            [first, *_] = [n for n, (due, _, _) in enumerate(invoice.lost) if due == applied.due]
            due, lost, at = invoice.lost[first]
            invoice.lost[first] = due, lost + amount, max(at, on)
        applied.amount -= amount
        if not applied.amount:
            self.applied.remove(applied)

    def _flow(self, payment: Payment, what: str, amount: int) -> None:
        position, on = len(self.happened), self.happened[-1][1]
        self.flows.append((position, on, payment.client, payment.bank_account, payment.currency, what, amount))


def half_up(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
