"""What the tables must hold, told once more in plain Python: no code of projections/ is used here."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain import clients, deals, interactions, pipelines, products, receivables, stock, warehouses
from domain.event import Event
from tests.properties.books import BEGINNING
from tests.properties.histories import Step

Line = tuple[str, tuple[Any, ...]]
"""The log table, and the cells of a row after position, line, times and type."""

NOTHING = Decimal(0)


def lines(e: Event) -> Iterator[Line]:
    match e:
        case stock.Received():
            yield "stock_movement", (e.product, e.warehouse, e.lot, e.quantity, e.document, None)
        case stock.Shipped():
            yield "stock_movement", (e.product, e.warehouse, e.lot, -e.quantity, e.document, None)
        case stock.WrittenOff():
            yield "stock_movement", (e.product, e.warehouse, e.lot, -e.quantity, None, e.reason)
        case receivables.Issued() | receivables.Received() | receivables.Allocated():
            yield from _owed(e)
        case deals.Opened() | deals.Moved() | deals.Won() | deals.Lost():
            yield from _deal(e)
        case _:
            yield from _card(e)


def _owed(e: receivables.Issued | receivables.Received | receivables.Allocated) -> Iterator[Line]:
    whose = e.client, e.counterparty, e.currency
    match e:
        case receivables.Issued():
            for part in e.terms:
                yield "receivables_movement", (*whose, "invoice", e.invoice, part.due_on, part.amount)
            said = {"client": e.client, "counterparty": e.counterparty, "amount": str(e.amount)}
            yield "invoice_version", (e.invoice, {**said, "currency": e.currency, "issued_on": str(e.issued_on)})
            yield "timeline", (e.client, e.invoice, None, e.amount, e.currency)
        case receivables.Received():
            yield "receivables_movement", (*whose, "payment", e.payment, None, -e.amount)
            yield "timeline", (e.client, e.payment, None, e.amount, e.currency)
        case receivables.Allocated():
            yield "receivables_movement", (*whose, "payment", e.payment, None, e.amount)
            yield "receivables_movement", (*whose, "invoice", e.invoice, e.due_on, -e.amount)


def _deal(e: deals.Opened | deals.Moved | deals.Won | deals.Lost) -> Iterator[Line]:
    start = e.deal, e.pipeline, e.stage
    match e:
        case deals.Opened():
            amount = None if e.amount is None else str(e.amount)
            said = {"client": e.client, "pipeline": e.pipeline, "stage": e.stage, "currency": e.currency}
            more = {"amount": amount, "owner": e.owner, "source": e.source, "items": e.items, "outcome": "open"}
            yield "deal_history", (*start, "open", e.amount, e.currency, e.owner, e.source, None)
            yield "deal_version", (e.deal, known(said | more))
            yield "timeline", (e.client, e.deal, e.stage, e.amount, e.currency)
        case deals.Moved():
            yield "deal_history", (*start, "open", *[None] * 5)
            yield "deal_version", (e.deal, {"stage": e.stage})
            yield "timeline", (e.client, e.deal, f"{e.from_stage} → {e.stage}", None, None)
        case deals.Won():
            yield "deal_history", (*start, "won", *[None] * 5)
            yield "deal_version", (e.deal, {"outcome": "won"})
            yield "timeline", (e.client, e.deal, f"from {e.stage}", None, None)
        case deals.Lost():
            yield "deal_history", (*start, "lost", *[None] * 4, e.reason)
            yield "deal_version", (e.deal, known({"outcome": "lost", "reason": e.reason, "note": e.note}))
            yield "timeline", (e.client, e.deal, f"from {e.stage}: {e.reason}", None, None)


def _card(e: Event) -> Iterator[Line]:
    match e:
        case clients.Registered():
            said = {"name": e.name, "kind": e.kind, "source": e.source}
            yield "client_version", (e.client, known({**said, "attributes": e.attributes, "contacts": e.contacts}))
            yield "timeline", (e.client, e.client, e.name, None, None)
        case interactions.Logged():
            kind = e.kind if e.direction is None else f"{e.kind}, {e.direction}"
            yield (
                "timeline",
                (e.client, e.interaction, kind if e.subject is None else f"{kind}: {e.subject}", None, None),
            )
        case products.Registered():
            said = {"name": e.name, "unit": e.unit, "scale": e.scale, "costing": e.costing}
            yield "product_version", (e.product, {**said, "expires": e.expires, "attributes": e.attributes})
        case warehouses.Registered():
            yield "warehouse_version", (e.warehouse, {"name": e.name, "negative_stock": e.negative_stock})
        case pipelines.Defined():
            stages = [
                {"stage": s.stage, "name": s.name, "probability": str(s.probability), "requires": list(s.requires)}
                for s in e.stages
            ]
            yield "pipeline_version", (e.pipeline, {"policy": e.policy, "stages": stages})


def known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: fact for name, fact in facts.items() if fact is not None}


def logs(steps: Sequence[Step]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every log table: position, line, effective_at, recorded_at, type, then the cells."""
    tables: dict[str, list[tuple[Any, ...]]] = {}
    for position, step in enumerate(steps, start=1):
        recorded_at = BEGINNING + timedelta(seconds=position)
        numbers: dict[str, int] = {}
        for table, cells in lines(step.event):
            line = numbers[table] = numbers.get(table, -1) + 1
            row = (position, line, step.effective_at, recorded_at, step.event.type, *cells)
            tables.setdefault(table, []).append(row)
    return tables


def turnovers(rows: Sequence[tuple[Any, ...]], dimensions: int) -> set[tuple[Any, ...]]:
    """Month, dimensions, in and out, of a register's log in UTC."""
    sums: dict[tuple[Any, ...], tuple[Decimal, Decimal]] = {}
    for row in rows:
        key = (row[2].astimezone(UTC).date().replace(day=1), *row[5 : 5 + dimensions])
        amount = row[5 + dimensions]
        came, went = sums.get(key, (NOTHING, NOTHING))
        sums[key] = (came + max(amount, NOTHING), went + max(-amount, NOTHING))
    return {(*key, *flows) for key, flows in sums.items()}


def balances(rows: Sequence[tuple[Any, ...]], dimensions: int) -> set[tuple[Any, ...]]:
    """Dimensions and sum, where it is not nothing."""
    sums: dict[tuple[Any, ...], Decimal] = {}
    for row in rows:
        key = row[5 : 5 + dimensions]
        sums[key] = sums.get(key, NOTHING) + row[5 + dimensions]
    return {(*key, amount) for key, amount in sums.items() if amount}


def cards(rows: Sequence[tuple[Any, ...]]) -> dict[str, tuple[dict[str, Any], datetime, int]]:
    """Key to facts, and to time and position of the last change."""
    found: dict[str, tuple[dict[str, Any], datetime, int]] = {}
    for position, _, effective_at, _, _, key, patch in sorted(rows, key=lambda row: (row[2], row[0], row[1])):
        facts, at, last = found.get(key, ({}, effective_at, 0))
        found[key] = {**facts, **patch}, max(at, effective_at), max(last, position)
    return found
