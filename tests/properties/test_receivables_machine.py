"""Random commands over two clients with two counterparties each, backdated ones among them, against a slow model.

After each command: the same refusals, the same events on the same days. Whenever somebody looks: the same figures.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from commands.bus import Refused
from commands.command import Command
from domain.receivables import Account
from tests.properties.books import Books, entered
from tests.properties.receivables_figures import Figures
from tests.properties.receivables_model import Invoice, Model, Move, Payment, Reasons
from tests.unit import given as scene
from tests.unit import words
from tests.unit.words import register_client, to

FIRST = date(2026, 1, 1)
CLIENTS, CURRENCIES = ["C1", "C2"], ["EUR", "USD"]

clients, counterparties = st.sampled_from(["C1", "C1", "C1", "C2"]), st.sampled_from([*"AAABBB", "C1"])
currencies = st.sampled_from([*["EUR"] * 7, "USD"])
days = st.integers(0, 150).map(lambda day: FIRST + timedelta(days=day))
amounts = st.integers(1, 60)
shares = st.sampled_from([0.3, 0.6, 1, 1, 1, 1.2])
instalments = st.dictionaries(days, st.integers(10, 60), min_size=1, max_size=3)
which = st.integers(0, 30)
"""Of the documents there are; now and then one that is not there."""
accounts = st.sampled_from(["main", "cash"])

BEGINNING = 6
"""Clients and counterparties are there."""


def one_of(documents: Iterable[str], which: int) -> str:
    known = [*documents, "unknown"] if which == 0 else [*documents] or ["unknown"]
    return known[-1] if which == 0 else known[which % len(known)]


class Receivables(RuleBasedStateMachine):
    def __init__(self, books: Books) -> None:
        super().__init__()
        self.books = books
        self.model = Model()
        self.answers: list[tuple[dict[str, Any], Any]] = []
        books.wipe()
        scene.begin()

    @initialize(terms=st.lists(instalments, min_size=2, max_size=4), on=st.lists(days, min_size=4, max_size=4))
    def begin(self, terms: list[dict[date, int]], on: list[date]) -> None:
        for client in CLIENTS:
            scene.given(register_client(client))
            self.model.happened.append(("client.registered", date(2026, 6, 1)))
            for counterparty in ("A", "B"):
                told = words.add_counterparty(counterparty, str(FIRST), client=client)
                self.tell(told, self.model.add(client, counterparty, FIRST))
        for due, day, counterparty in zip(terms, on, "ABAB", strict=False):
            self.issue("C1", counterparty, "EUR", due, day)
            self.receive("C1", counterparty, "EUR", 50, day + timedelta(days=sum(due.values()) - 30), "main", [])

    def tell(self, command: Command, reasons: Reasons) -> None:
        """The command is refused if there is a reason to, and by one of them; otherwise the same happens."""
        [outcome] = scene.when(command)
        if isinstance(outcome, Refused):
            assert outcome.refusal.code in reasons, outcome.refusal
        else:
            assert not reasons
            happened = [(entry.event.type, entry.on) for entry in scene.book()]
            assert happened == self.model.happened

    def invoice(self, which: int) -> str:
        return one_of(self.model.invoices, which)

    def payment(self, which: int) -> str:
        return one_of(self.model.payments, which)

    def some_of(self, share: float, amount: int) -> int:
        """Of what there is; of nothing there is something, too, that is asked for in vain."""
        return max(round(amount * share), 1)

    # Commands

    @rule(client=clients, counterparty=st.sampled_from("AB"), on=days, back=st.sampled_from([0, 0, 7, 30, -1, None]))
    def retire_and_add_again(self, client: str, counterparty: str, on: date, back: int | None) -> None:
        told = words.retire_counterparty(counterparty, str(on), client=client)
        self.tell(told, self.model.retire(client, counterparty, on))
        if back is not None:
            again = on + timedelta(days=back)
            added = words.add_counterparty(counterparty, str(again), client=client)
            self.tell(added, self.model.add(client, counterparty, again))

    @rule(client=clients, amount=st.integers(150, 500), on=days)
    def limit(self, client: str, amount: int, on: date) -> None:
        self.tell(words.limit_credit(amount, on=str(on), client=client), self.model.limit(client, amount, on))

    @precondition(lambda self: len(self.model.invoices) < 8)
    @rule(client=clients, counterparty=counterparties, currency=currencies, terms=instalments, on=days)
    def issue(self, client: str, counterparty: str, currency: str, terms: dict[date, int], on: date) -> None:
        invoice = Invoice(f"I{len(self.model.invoices) + 1}", client, counterparty, currency, on, terms)
        listed = [{"due_on": str(due), "amount": str(amount)} for due, amount in terms.items()]
        whose = {"client": client, "counterparty": counterparty, "currency": currency}
        told = words.issue(invoice.id, invoice.total, due=str(on), on=str(on), terms=listed, **whose)
        self.tell(told, self.model.issue(invoice, on))

    @rule(which=which, share=shares, on=days)
    def credit(self, which: int, share: float, on: date) -> None:
        id, note = self.invoice(which), f"N{len(self.model.happened)}"
        amount = self.some_of(share / 3, self.open_of(id))
        told = words.credit(id, amount, str(on), credit_note=note)
        self.tell(told, self.model.take_off("invoice.credited", id, amount, on, note))

    @rule(which=which, share=shares, on=days)
    def write_off(self, which: int, share: float, on: date) -> None:
        id = self.invoice(which)
        amount = self.some_of(share, self.open_of(id))
        told = words.give_up(id, amount, str(on))
        self.tell(told, self.model.take_off("invoice.written_off", id, amount, on))

    @rule(which=which, on=days)
    def cancel(self, which: int, on: date) -> None:
        self.tell(words.cancel(self.invoice(which), str(on)), self.model.cancel(self.invoice(which), on))

    @precondition(lambda self: len(self.model.payments) < 10)
    @rule(
        client=clients,
        counterparty=counterparties,
        currency=currencies,
        amount=amounts,
        on=days,
        account=accounts,
        wanted=st.just("oldest") | st.lists(st.tuples(which, st.integers(1, 20)), max_size=2),
    )
    def receive(
        self, client: str, counterparty: str, currency: str, amount: int, on: date, account: str, wanted: Any
    ) -> None:
        payment = Payment(f"Z{len(self.model.payments) + 1}", client, counterparty, currency, amount, on, account)
        whose = {"client": client, "counterparty": counterparty, "currency": currency, "bank_account": account}
        if wanted != "oldest":
            wanted = [(self.invoice(which), part) for which, part in wanted]
        allocate = wanted if wanted == "oldest" else [to(invoice, part) for invoice, part in wanted]
        told = words.pay(amount, str(on), payment=payment.id, allocate=allocate, **whose)
        self.tell(told, self.model.receive(payment, wanted))

    @precondition(lambda self: self.model.payments and self.model.invoices)
    @rule(which=which, other=which, share=shares, on=days, fitting=st.integers(0, 5))
    def allocate(self, which: int, other: int, share: float, on: date, fitting: int) -> None:
        """Mostly what can be paid by this payment."""
        id = self.payment(which)
        paid = self.model.payments.get(id)
        payable = [
            invoice.id
            for invoice in self.model.invoices.values()
            if paid and (invoice.client, invoice.counterparty) == (paid.client, paid.counterparty)
        ]
        invoice = one_of(payable if fitting and payable else self.model.invoices, other)
        lost = self.model.lost(self.model.invoices[invoice]) if invoice in self.model.invoices else 0
        left = self.model.left(paid) if paid else 0
        amount = self.some_of(share, min(left, self.open_of(invoice) + lost))
        told = words.allocate(id, invoice, amount, str(on))
        self.tell(told, self.model.allocate(id, invoice, amount, on))

    @precondition(lambda self: self.model.applied)
    @rule(which=which, share=shares, on=days)
    def deallocate(self, which: int, share: float, on: date) -> None:
        applied = self.model.applied[which % len(self.model.applied)]
        payment, invoice, amount = applied.payment.id, applied.invoice.id, self.some_of(share, applied.amount)
        told = words.deallocate(payment, invoice, amount, str(on))
        self.tell(told, self.model.deallocate(payment, invoice, amount, on))

    @rule(which=which, after=st.integers(-10, 100))
    def bounce(self, which: int, after: int) -> None:
        id, on = self.going_back(which, after)
        self.tell(words.bounce(id, str(on)), self.model.bounce(id, on))

    @rule(which=which, share=shares, after=st.integers(-10, 100))
    def refund(self, which: int, share: float, after: int) -> None:
        id, on = self.going_back(which, after)
        amount = self.some_of(share / 2, self.model.left(self.model.payments[id]) if id in self.model.payments else 0)
        self.tell(words.refund(id, amount, str(on)), self.model.refund(id, amount, on))

    @precondition(lambda self: self.model.invoices)
    @rule(which=which, share=shares, on=days, fitting=st.integers(0, 5), other=clients)
    def offset(self, which: int, share: float, on: date, fitting: int, other: str) -> None:
        """Mostly money that there is, for a debt that there is."""
        id = self.invoice(which)
        invoice = self.model.invoices.get(id)
        client = invoice.client if invoice and fitting else other
        counterparty = "B" if invoice is None or invoice.counterparty == "A" else "A"
        left = sum(
            self.model.left(paid)
            for paid in self.model.payments.values()
            if (paid.client, paid.counterparty, paid.currency) == (client, counterparty, invoice and invoice.currency)
        )
        amount = self.some_of(share, min(left, self.open_of(id)))
        before = {(c, currency): self.model.owed(c, currency) for c in CLIENTS for currency in CURRENCIES}
        told = words.offset(counterparty, id, amount, str(on), client)
        self.tell(told, self.model.offset(client, counterparty, id, amount, on))
        assert before == {(c, currency): self.model.owed(c, currency) for c in CLIENTS for currency in CURRENCIES}

    def open_of(self, invoice: str) -> int:
        return self.model.open(self.model.invoices[invoice]) if invoice in self.model.invoices else 0

    def going_back(self, which: int, after: int) -> tuple[str, date]:
        id = self.payment(which)
        received = self.model.payments[id].on if id in self.model.payments else FIRST
        return id, received + timedelta(days=after)

    # What is so after each step

    @invariant()
    def the_state_has_what_is_open_and_nothing_else(self) -> None:
        for client in CLIENTS:
            account = scene.now(Account, client)
            assert isinstance(account, Account)
            assert Account.model_validate_json(account.model_dump_json(exclude_none=True)) == account
            open = {id: self.model.parts(item) for id, item in self.model.invoices.items() if item.client == client}
            expected = {id: {due: amount for due, amount in parts.items() if amount} for id, parts in open.items()}
            found = {id: {part.due_on: part.amount for part in item.open} for id, item in account.invoices.items()}
            assert found == {id: parts for id, parts in expected.items() if parts}
            left = {id: self.model.left(paid) for id, paid in self.model.payments.items() if paid.client == client}
            assert {id: p.amount for id, p in account.unapplied.items()} == {id: n for id, n in left.items() if n}

    @invariant()
    def a_whole_account_decides_like_one_that_has_forgotten_what_is_settled(self) -> None:
        for client in CLIENTS:
            whole = scene.now(Account, client, whole=True)
            account = scene.now(Account, client)
            assert isinstance(whole, Account)
            assert isinstance(account, Account)
            assert {id: (item.open, item.since) for id, item in whole.invoices.items() if item.open} == {
                id: (item.open, item.since) for id, item in account.invoices.items()
            }
            assert {id: (paid.amount, paid.since) for id, paid in whole.unapplied.items() if paid.amount} == {
                id: (paid.amount, paid.since) for id, paid in account.unapplied.items()
            }

    @invariant()
    def on_no_day_is_an_item_below_nothing_or_a_payment_above(self) -> None:
        items: dict[tuple[str, date | None], list[Move]] = {}
        for move in self.model.moves:
            items.setdefault((move.document, move.due), []).append(move)
        for (document, due), moves in items.items():
            for day in {move.on for move in moves}:
                amount = sum(move.amount for move in moves if move.on <= day)
                paid = self.model.payments.get(document)
                most, least = (0, -paid.amount) if paid else (self.model.invoices[document].terms[due], 0)  # type: ignore[index]
                assert least <= amount <= most, (document, day)

    # Figures

    @rule(as_of=days, at=st.floats(0, 1), frm=days, to=days, client=clients, counterparty=st.sampled_from("AB"))
    def look(self, as_of: date, at: float, frm: date, to: date, client: str, counterparty: str) -> None:
        frm, to = sorted((frm, to))
        self.books.project(entered(scene.book()))
        known = max(round(at * len(self.model.happened)), BEGINNING)
        for known_at in (known, None):
            seen = [move for move in self.model.moves if move.position <= (known if known_at is not None else 10**6)]
            figures = Figures(self.books, self.model, seen, known_at)
            figures.ageing(as_of)
            figures.open_items(as_of)
            figures.statement(frm, to, client, None)
            figures.statement(frm, to, None, counterparty)
            figures.dso(frm, to, as_of, client)
            figures.summary(frm, to)
            figures.exposure(as_of, client)
        question = {"as_of": as_of, "known_at": len(self.model.happened), "by": "counterparty"}
        self.answers.append((question, self.books.items("/v1/receivables/ageing", **question)))

    def teardown(self) -> None:
        self.books.project(entered(scene.book()))
        for question, then in self.answers:
            assert self.books.items("/v1/receivables/ageing", **question) == then


def test_commands_figures_and_the_slow_model_agree(books: Books) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Receivables(books), settings=settings(max_examples=60, stateful_step_count=40)
    )


def test_the_domain_alone_agrees_over_longer_histories(books: Books) -> None:
    class Longer(Receivables):
        look = None  # type: ignore[assignment]

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Longer(books), settings=settings(max_examples=60, stateful_step_count=80)
    )
