"""What the tables must hold, told once more in plain Python: no code of projections/ is used here."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain import (
    clients,
    deals,
    interactions,
    pipelines,
    products,
    promises,
    receivables,
    stock,
    transfers,
    warehouses,
)
from domain.event import Event
from tests.properties.books import BEGINNING
from tests.properties.histories import Step

Line = tuple[str, tuple[Any, ...]]
"""The log table, and the cells of a row after position, line, times and type."""

NOTHING = Decimal(0)


def lines(e: Event) -> Iterator[Line]:
    match e:
        case stock.Received() | stock.ReturnedIn():
            yield from _came_in(e)
        case stock.Shipped() | stock.ReturnedOut() | stock.WrittenOff():
            yield from _went_out(e)
        case stock.Counted() | stock.CountAdjusted():
            yield from _counted(e)
        case promises.Reserved() | promises.Released() | promises.Ordered() | promises.OrderCancelled():
            yield "stock_promise_movement", _promise(e)
        case transfers.Dispatched() | transfers.Announced() | transfers.Accepted() | transfers.LostInTransit():
            yield from _transferred(e)
        case receivables.Issued() | receivables.Received() | receivables.Allocated():
            yield from _owed(e)
        case deals.Opened() | deals.Moved() | deals.Won() | deals.Lost() | deals.Reopened():
            yield from _deal(e)
        case deals.Estimated() | deals.Specified() | deals.Assigned():
            yield from _told(e)
        case _:
            yield from _card(e)


def _came_in(e: stock.Received | stock.ReturnedIn) -> Iterator[Line]:
    money = (e.cost, e.currency) if isinstance(e, stock.Received) else (e.price, e.currency)
    yield "stock_movement", (e.product, e.warehouse, e.lot, e.quantity, e.document, None, *money)
    if isinstance(e, stock.Received) and e.ordered is not None:
        yield "stock_promise_movement", (e.product, e.warehouse, None, NOTHING, NOTHING, -e.ordered, e.order)


def _went_out(e: stock.Shipped | stock.ReturnedOut | stock.WrittenOff) -> Iterator[Line]:
    document = None if isinstance(e, stock.WrittenOff) else e.document
    reason = e.reason if isinstance(e, stock.WrittenOff) else None
    money = (e.price, e.currency) if isinstance(e, stock.ReturnedOut) else (None, None)
    yield "stock_movement", (e.product, e.warehouse, e.lot, -e.quantity, document, reason, *money)
    if isinstance(e, stock.Shipped) and e.reserved is not None:
        yield "stock_promise_movement", (e.product, e.warehouse, None, -e.reserved, NOTHING, NOTHING, e.reservation)


def _counted(e: stock.Counted | stock.CountAdjusted) -> Iterator[Line]:
    found = e.adjustments if isinstance(e, stock.Counted) else [e]
    for each in found:
        yield "stock_movement", (e.product, e.warehouse, each.lot, each.quantity, None, "count", None, None)


def _promise(
    e: promises.Reserved | promises.Released | promises.Ordered | promises.OrderCancelled,
) -> tuple[Any, ...]:
    sign = 1 if isinstance(e, promises.Reserved | promises.Ordered) else -1
    if isinstance(e, promises.Reserved | promises.Released):
        return (e.product, e.warehouse, None, sign * e.quantity, NOTHING, NOTHING, e.reservation)
    return (e.product, e.warehouse, None, NOTHING, NOTHING, sign * e.quantity, e.order)


def _transferred(
    e: transfers.Dispatched | transfers.Announced | transfers.Accepted | transfers.LostInTransit,
) -> Iterator[Line]:
    place = e.product, e.warehouse, e.lot
    if isinstance(e, transfers.Dispatched):
        yield "stock_movement", (*place, -e.quantity, e.transfer, None, None, None)
        return
    if isinstance(e, transfers.Accepted):
        yield "stock_movement", (*place, e.quantity, e.transfer, None, None, None)
    on_its_way = e.quantity if isinstance(e, transfers.Announced) else -e.quantity
    yield "stock_promise_movement", (*place, NOTHING, on_its_way, NOTHING, e.transfer)


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


#: ISO 4217's minor units of the currencies in use here.
PLACES = {"EUR": 2, "USD": 2, None: None}


def _told(e: deals.Estimated | deals.Specified | deals.Assigned) -> Iterator[Line]:
    whose = e.deal, e.pipeline, e.client
    match e:
        case deals.Estimated():
            yield "deal_facts", (*whose, e.amount, e.currency, PLACES[e.currency], None, None)
            yield "deal_version", (e.deal, {"amount": str(e.amount), "currency": e.currency})
            yield "timeline", (e.client, e.deal, None, e.amount, e.currency)
        case deals.Specified():
            yield "deal_version", (e.deal, {"items": e.items})
            yield "timeline", (e.client, e.deal, f"items: {len(e.items)}", None, None)
        case deals.Assigned():
            yield "deal_facts", (*whose, None, None, None, e.owner, None)
            yield "deal_version", (e.deal, {"owner": e.owner})
            yield "timeline", (e.client, e.deal, f"to {e.owner}", None, None)


def _deal(e: deals.Opened | deals.Moved | deals.Won | deals.Lost | deals.Reopened) -> Iterator[Line]:
    start = e.deal, e.pipeline, e.stage
    match e:
        case deals.Opened():
            amount = None if e.amount is None else str(e.amount)
            said = {"client": e.client, "pipeline": e.pipeline, "stage": e.stage, "currency": e.currency}
            more = {"amount": amount, "owner": e.owner, "source": e.source, "items": e.items, "outcome": "open"}
            places = PLACES[e.currency]
            yield "deal_history", (*start, "open", None)
            yield (
                "deal_facts",
                (e.deal, e.pipeline, e.client, e.amount, e.currency, places, e.owner, e.source),
            )
            yield "deal_version", (e.deal, known(said | more))
            yield "timeline", (e.client, e.deal, e.stage, e.amount, e.currency)
        case deals.Moved():
            yield "deal_history", (*start, "open", None)
            yield "deal_version", (e.deal, {"stage": e.stage})
            yield "timeline", (e.client, e.deal, f"{e.from_stage} → {e.stage}", None, None)
        case deals.Won():
            yield "deal_history", (*start, "won", None)
            yield "deal_version", (e.deal, {"outcome": "won"})
            yield "timeline", (e.client, e.deal, f"from {e.stage}", None, None)
        case deals.Lost():
            yield "deal_history", (*start, "lost", e.reason)
            yield "deal_version", (e.deal, known({"outcome": "lost", "reason": e.reason, "note": e.note}))
            yield "timeline", (e.client, e.deal, f"from {e.stage}: {e.reason}", None, None)
        case deals.Reopened():
            yield "deal_history", (*start, "open", None)
            yield "deal_version", (e.deal, {"stage": e.stage, "outcome": "open", "reason": None, "note": None})
            yield "timeline", (e.client, e.deal, f"{e.outcome} → {e.stage}", None, None)


def _card(e: Event) -> Iterator[Line]:
    match e:
        case clients.Registered():
            said = {"name": e.name, "kind": e.kind, "source": e.source}
            yield "client_version", (e.client, known({**said, "attributes": e.attributes, "contacts": e.contacts}))
            yield "client_segment", (e.client, e.attributes.get("segment"))
            yield "timeline", (e.client, e.client, e.name, None, None)
        case interactions.Logged():
            kind = e.kind if e.direction is None else f"{e.kind}, {e.direction}"
            yield "touch", (e.client, e.kind if e.source is None else e.source)
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


def turnovers(rows: Sequence[tuple[Any, ...]], dimensions: int, resources: int = 1) -> set[tuple[Any, ...]]:
    """Month, dimensions, then in and out of each resource, of a register's log in UTC."""
    sums: dict[tuple[Any, ...], list[Decimal]] = {}
    for row in rows:
        key = (row[2].astimezone(UTC).date().replace(day=1), *row[5 : 5 + dimensions])
        amounts = row[5 + dimensions : 5 + dimensions + resources]
        flows = [flow for amount in amounts for flow in (max(amount, NOTHING), max(-amount, NOTHING))]
        sums[key] = [a + b for a, b in zip(sums.get(key, [NOTHING] * len(flows)), flows, strict=True)]
    return {(*key, *flows) for key, flows in sums.items()}


def balances(rows: Sequence[tuple[Any, ...]], dimensions: int, resources: int = 1) -> set[tuple[Any, ...]]:
    """Dimensions and sums, where they are not nothing."""
    sums: dict[tuple[Any, ...], list[Decimal]] = {}
    for row in rows:
        key, amounts = row[5 : 5 + dimensions], row[5 + dimensions : 5 + dimensions + resources]
        sums[key] = [a + b for a, b in zip(sums.get(key, [NOTHING] * resources), amounts, strict=True)]
    return {(*key, *amounts) for key, amounts in sums.items() if any(amounts)}


def cards(rows: Sequence[tuple[Any, ...]]) -> dict[str, tuple[dict[str, Any], datetime, int]]:
    """Key to facts, and to time and position of the last change."""
    found: dict[str, tuple[dict[str, Any], datetime, int]] = {}
    for position, _, effective_at, _, _, key, patch in sorted(rows, key=lambda row: (row[2], row[0], row[1])):
        facts, at, last = found.get(key, ({}, effective_at, 0))
        found[key] = {**facts, **patch}, max(at, effective_at), max(last, position)
    return found
