"""What the tables must hold, told once more in plain Python: no code of projections/ is used here."""

from collections.abc import Iterable, Iterator, Sequence
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
        case deals.Opened() | deals.Moved() | deals.Won() | deals.Lost() | deals.Reopened():
            yield from _deal(e)
        case deals.Estimated() | deals.Specified() | deals.Assigned():
            yield from _told(e)
        case _ if isinstance(e, MONEY):
            yield from _owed(e)
        case _ if isinstance(e, AGREED):
            yield from _agreed(e)
        case _:
            yield from _card(e)


def _came_in(e: stock.Received | stock.ReturnedIn) -> Iterator[Line]:
    money = (e.cost, e.currency) if isinstance(e, stock.Received) else (e.price, e.currency)
    yield "stock_movement", (e.product, e.warehouse, e.lot, e.quantity, e.document, None, *money, None)
    if isinstance(e, stock.Received) and e.ordered is not None:
        yield "stock_promise_movement", (e.product, e.warehouse, None, NOTHING, NOTHING, -e.ordered, e.order)


def _went_out(e: stock.Shipped | stock.ReturnedOut | stock.WrittenOff) -> Iterator[Line]:
    document = None if isinstance(e, stock.WrittenOff) else e.document
    reason = e.reason if isinstance(e, stock.WrittenOff) else None
    money = (e.price, e.currency) if isinstance(e, stock.ReturnedOut) else (None, None)
    yield "stock_movement", (e.product, e.warehouse, e.lot, -e.quantity, document, reason, *money, None)
    if isinstance(e, stock.Shipped) and e.client is not None:
        said = f"{e.quantity} {e.product}" + ("" if e.lot is None else f", lot {e.lot}")
        yield "timeline", (e.client, e.document or e.deal or e.product, said, None, None)
    if isinstance(e, stock.Shipped) and e.reserved is not None:
        yield "stock_promise_movement", (e.product, e.warehouse, None, -e.reserved, NOTHING, NOTHING, e.reservation)


def _counted(e: stock.Counted | stock.CountAdjusted) -> Iterator[Line]:
    found = e.adjustments if isinstance(e, stock.Counted) else [e]
    for each in found:
        yield "stock_movement", (e.product, e.warehouse, each.lot, each.quantity, None, "count", None, None, None)


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
        yield "stock_movement", (*place, -e.quantity, e.transfer, None, None, None, None)
        return
    if isinstance(e, transfers.Accepted):
        yield "stock_movement", (*place, e.quantity, e.transfer, None, None, None, None)
    if isinstance(e, transfers.LostInTransit):
        yield "stock_movement", (*place, NOTHING, e.transfer, "transit loss", None, None, e.quantity)
    on_its_way = e.quantity if isinstance(e, transfers.Announced) else -e.quantity
    yield "stock_promise_movement", (*place, NOTHING, on_its_way, NOTHING, e.transfer)


MONEY = (
    receivables.Issued,
    receivables.Credited,
    receivables.WrittenOff,
    receivables.Cancelled,
    receivables.Received,
    receivables.Refunded,
    receivables.Bounced,
    receivables.Allocated,
    receivables.Deallocated,
    receivables.Offset,
)


def _owed(e: Any) -> Iterator[Line]:
    """Each item that moved, by which amount and named by which document; then what else is kept of it."""
    whose = e.client, e.counterparty, e.currency
    match e:
        case receivables.Issued():
            for part in e.terms:
                yield "receivables_movement", (*whose, "invoice", e.invoice, part.due_on, part.amount, e.invoice)
            said = {"client": e.client, "counterparty": e.counterparty, "amount": str(e.amount)}
            listed = [{"due_on": str(part.due_on), "amount": str(part.amount)} for part in e.terms]
            more = {"currency": e.currency, "issued_on": str(e.issued_on), "terms": listed}
            yield "invoice_version", (e.invoice, {**said, **more})
            yield "sales_movement", (e.client, e.currency, e.amount)
            yield "timeline", (e.client, e.invoice, None, e.amount, e.currency)
        case receivables.Credited() | receivables.WrittenOff() | receivables.Cancelled():
            named = e.credit_note if isinstance(e, receivables.Credited) else e.invoice
            for part in e.parts:
                yield "receivables_movement", (*whose, "invoice", e.invoice, part.due_on, -part.amount, named)
            if not isinstance(e, receivables.WrittenOff):
                yield "sales_movement", (e.client, e.currency, -e.amount)
            summary = f"{e.invoice}: {e.reason}" if isinstance(e, receivables.Credited) else e.reason
            yield "timeline", (e.client, named, summary, e.amount, e.currency)
        case receivables.Received() | receivables.Refunded() | receivables.Bounced():
            yield from _bank(e)
        case _:
            yield from _paid(e)


def _bank(e: receivables.Received | receivables.Refunded | receivables.Bounced) -> Iterator[Line]:
    sign = -1 if isinstance(e, receivables.Received) else 1
    item = e.client, e.counterparty, e.currency, "payment", e.payment, None
    kinds = receivables.Received, receivables.Refunded, receivables.Bounced
    amounts = [e.amount if isinstance(e, kind) else NOTHING for kind in kinds]
    yield "receivables_movement", (*item, sign * e.amount, e.payment)
    yield "payments_movement", (e.client, e.bank_account, e.direction, e.currency, *amounts)
    summary = e.reason if isinstance(e, receivables.Bounced) else None
    yield "timeline", (e.client, e.payment, summary, e.amount, e.currency)


def _paid(e: receivables.Allocated | receivables.Deallocated | receivables.Offset) -> Iterator[Line]:
    sign = -1 if isinstance(e, receivables.Deallocated) else 1
    payer = e.counterparty if isinstance(e, receivables.Allocated) else e.from_counterparty
    recovery = not isinstance(e, receivables.Offset) and e.recovery
    money = e.client, payer, e.currency, "payment", e.payment, None
    debt = e.client, e.counterparty, e.currency, "invoice", e.invoice, e.due_on
    yield "receivables_movement", (*money, sign * e.amount, e.payment)
    if not recovery:
        yield "receivables_movement", (*debt, -sign * e.amount, e.invoice)
    match e:
        case receivables.Allocated():
            summary = f"→ {e.invoice}, written off" if recovery else f"→ {e.invoice}"
        case receivables.Deallocated():
            summary = f"← {e.invoice}"
        case _:
            summary = f"{e.from_counterparty} → {e.counterparty}, {e.invoice}"
    yield "timeline", (e.client, e.payment, summary, e.amount, e.currency)


AGREED = clients.Changed, clients.CounterpartyAdded, clients.CounterpartyRetired, clients.CreditLimitSet


def _agreed(e: Any) -> Iterator[Line]:
    match e:
        case clients.Changed():
            yield "client_version", (e.client, {**known({"name": e.name, "source": e.source}), **_pieces(e)})
            if "segment" in e.attributes:
                yield "client_segment", (e.client, e.attributes["segment"])
            changes = [e.name, e.source]
            changes += [f"{name}: {value or '–'}" for name, value in {**e.attributes, **e.contacts}.items()]
            yield "timeline", (e.client, e.client, ", ".join(change for change in changes if change), None, None)
        case clients.CounterpartyAdded():
            said = {"counterparty": e.counterparty, "name": e.name, "tax_id": e.tax_id}
            patch = {f"counterparty.{e.counterparty}": said, f"retired.{e.counterparty}": None}
            yield "client_version", (e.client, patch)
            yield "debtor_version", (e.counterparty, {f"client.{e.client}": 1})
            yield "timeline", (e.client, e.counterparty, e.name, None, None)
        case clients.CounterpartyRetired():
            yield "client_version", (e.client, {f"retired.{e.counterparty}": str(e.retired_on)})
            yield "timeline", (e.client, e.counterparty, None, None, None)
        case clients.CreditLimitSet():
            limit = {"amount": str(e.amount), "currency": e.currency}
            yield "client_version", (e.client, {"credit_limit": limit})
            yield "debtor_version", (e.client, limit)
            yield "timeline", (e.client, e.client, None, e.amount, e.currency)


def _pieces(e: Any) -> dict[str, str | None]:
    parts = {f"attributes.{name}": value for name, value in e.attributes.items()}
    return parts | {f"contacts.{name}": value for name, value in e.contacts.items()}


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
            said = known({"name": e.name, "kind": e.kind, "source": e.source})
            yield "client_version", (e.client, {**said, **_pieces(e)})
            if "segment" in e.attributes:
                yield "client_segment", (e.client, e.attributes["segment"])
            yield "debtor_version", (e.client, {f"client.{e.client}": 1})
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
    """Of made-up steps, recorded one a second."""
    return logs_of(
        (position, step.event, step.effective_at, BEGINNING + timedelta(seconds=position))
        for position, step in enumerate(steps, start=1)
    )


def logs_of(events: Iterable[tuple[int, Event, datetime, datetime]]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every log table: position, line, effective_at, recorded_at, type, then the cells."""
    tables: dict[str, list[tuple[Any, ...]]] = {}
    for position, event, effective_at, recorded_at in events:
        numbers: dict[str, int] = {}
        for table, cells in lines(event):
            line = numbers[table] = numbers.get(table, -1) + 1
            row = (position, line, effective_at, recorded_at, event.type, *cells)
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
