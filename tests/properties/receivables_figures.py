"""The figures of receivables, asked of the read models and added up from what moved as far as it is known."""

from datetime import date
from decimal import Decimal

from tests.properties.books import Books
from tests.properties.receivables_model import Model, Move, half_up

BUCKETS = {"current": 0, "d1_30": 30, "d31_60": 60, "d61_90": 90, "over_90": 10**6}
COLUMNS = [*BUCKETS, "unapplied"]


class Figures:
    def __init__(self, books: Books, model: Model, seen: list[Move], known_at: int | None) -> None:
        self.books, self.model, self.seen = books, model, seen
        self.known = {} if known_at is None else {"known_at": known_at}
        self.until = 10**6 if known_at is None else known_at

    def ageing(self, as_of: date) -> None:
        expected: dict[tuple[str, str, str], dict[str, int]] = {}
        for move in self.seen:
            if move.on <= as_of:
                row = expected.setdefault((move.client, move.counterparty, move.currency), dict.fromkeys(COLUMNS, 0))
                row[bucket(move.due, as_of)] += move.amount
        rows = self.books.items("/v1/receivables/ageing", as_of=as_of, by="counterparty", **self.known)
        assert all(sum(row[name] for name in COLUMNS) == row["balance"] for row in rows)
        found = {(row["client"], row["counterparty"], row["currency"]): {n: row[n] for n in COLUMNS} for row in rows}
        assert {key: row for key, row in found.items() if any(row.values())} == {
            key: row for key, row in expected.items() if any(row.values())
        }

    def open_items(self, as_of: date) -> None:
        expected: dict[tuple[str, date], int] = {}
        for move in self.seen:
            if move.due and move.on <= as_of:
                expected[move.document, move.due] = expected.get((move.document, move.due), 0) + move.amount
        rows = self.books.items("/v1/receivables/open-items", as_of=as_of, **self.known)
        found = {(row["invoice"], row["due_on"]): (row["open"], row["overdue_days"], row["amount"]) for row in rows}
        assert found == {
            (id, due): (amount, (as_of - due).days, self.model.invoices[id].terms[due])
            for (id, due), amount in expected.items()
            if amount
        }

    def statement(self, frm: date, to: date, client: str | None, counterparty: str | None) -> None:
        those = [
            move
            for move in self.seen
            if client in (None, move.client) and counterparty in (None, move.counterparty) and move.currency == "EUR"
        ]
        events: dict[tuple[date, int], list[Move]] = {}
        for move in those:
            if frm <= move.on <= to:
                events.setdefault((move.on, move.position), []).append(move)
        sums = [(moves[0], sum(move.amount for move in moves)) for _, moves in sorted(events.items())]
        given = {"client": client, "counterparty": counterparty, "from": frm, "to": to, **self.known}
        answer = self.books.body("/v1/receivables/statement", **{k: v for k, v in given.items() if v is not None})
        found = [(e["on"], e["type"], e["document"], e["debit"] - e["credit"]) for e in answer["entries"]]
        assert found == [(move.on, move.type, move.entry, amount) for move, amount in sums if amount]
        assert all(entry["debit"] >= 0 and entry["credit"] >= 0 for entry in answer["entries"])
        assert answer["opening"] == sum(move.amount for move in those if move.on < frm)
        assert answer["opening"] + answer["debits"] - answer["credits"] == answer["closing"]
        assert answer["closing"] == sum(move.amount for move in those if move.on <= to)

    def dso(self, frm: date, last: date, as_of: date, client: str) -> None:
        to = min(last, as_of)
        owed = [m for m in self.seen if (m.client, m.currency) == (client, "EUR") and m.on <= to]
        balance, gross = sum(m.amount for m in owed), sum(m.amount for m in owed if m.due)
        sales = sum(
            amount
            for position, on, whose, currency, amount in self.model.sales
            if position <= self.until and frm <= on <= to and (whose, currency) == (client, "EUR")
        )
        days = max((to - frm).days + 1, 0)
        given = {"client": client, "from": frm, "to": last, "as_of": as_of, **self.known}
        answer = self.books.body("/v1/receivables/dso", **given)
        assert (answer["balance"], answer["gross"], answer["sales"], answer["days"]) == (balance, gross, sales, days)
        for figure, over in (("dso_net", balance), ("dso_gross", gross)):
            assert answer[figure] == (half_up(Decimal(over * days) / sales) if sales else None)

    def summary(self, frm: date, to: date) -> None:
        expected: dict[tuple[str, str, str], dict[str, int]] = {}
        for position, on, client, account, currency, what, amount in self.model.flows:
            if position <= self.until and frm <= on <= to:
                row = expected.setdefault(
                    (client, account, currency), dict.fromkeys(("received", "refunded", "bounced"), 0)
                )
                row[what] += amount
        given = {"from": frm, "to": to, "group_by": "client,bank_account", **self.known}
        rows = self.books.items("/v1/payments/summary", **given)
        assert all(row["net"] == row["received"] - row["refunded"] - row["bounced"] for row in rows)
        assert expected == {
            (row["client"], row["bank_account"], row["currency"]): {
                name: row[name] for name in ("received", "refunded", "bounced")
            }
            for row in rows
        }

    def exposure(self, as_of: date, client: str) -> None:
        limits = sorted(
            (on, position, amount)
            for position, on, whose, amount in self.model.limits
            if whose == client and position <= self.until and on <= as_of
        )
        limit = limits[-1][2] if limits else None
        owed = sum(m.amount for m in self.seen if (m.client, m.currency) == (client, "EUR") and m.on <= as_of)
        answer = self.books.body("/v1/receivables/exposure", client=client, as_of=as_of, **self.known)
        assert (answer["exposure"], answer["limit"]) == (owed, limit)
        assert answer["available"] == (None if limit is None else limit - owed)


def bucket(due: date | None, as_of: date) -> str:
    if due is None:
        return "unapplied"
    return next(name for name, most in BUCKETS.items() if (as_of - due).days <= most)
