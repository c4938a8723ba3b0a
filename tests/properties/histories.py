"""Made-up histories: events of every projected kind, over several order keys, around the edges of months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from consumers.ports import Delivered
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
from tests.properties.books import delivered

#: What COPY, JSON and CSV might trip over.
texts = st.text(alphabet="aß€語\\\t\n\r\v'\"{},;%N.😀\u2028\x85\x7f ", min_size=1, max_size=6)
maybe_texts = st.none() | texts

MONTHS = [datetime(2025, 12, 1, tzinfo=UTC), *(datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))]

#: Within a day of the edge of a month, often on it; and far in the future.
moments = st.one_of(
    st.builds(
        lambda edge, step: edge + step,
        st.sampled_from(MONTHS),
        st.sampled_from([0, -1, 1]).map(lambda microseconds: timedelta(microseconds=microseconds)),
    ),
    st.builds(lambda edge, hours: edge + timedelta(hours=hours), st.sampled_from(MONTHS), st.integers(-400, 400)),
    st.just(datetime(2900, 1, 1, tzinfo=UTC)),
)
#: Often the first or the last of a month.
days = st.one_of(
    st.sampled_from([(edge + timedelta(days=step)).date() for edge in MONTHS for step in (-1, 0)]),
    st.dates(date(2025, 11, 20), date(2026, 4, 10)),
)

#: From a day to another.
periods = st.tuples(days, days).map(lambda both: (min(both), max(both)))

#: Small ones often cancel out.
small = st.integers(1, 3).map(Decimal)
quantities = small | st.decimals("0.000001", "999999999999999.999999", places=6)
amounts = small | st.decimals("0.01", "99999.99", places=2)


@dataclass(frozen=True)
class Step:
    """An event that is to happen, and its order key."""

    key: str
    event: Event
    effective_at: datetime


def one_of(*ids: str) -> st.SearchStrategy[str]:
    return st.sampled_from(ids)


product_ids, warehouse_ids, lots = one_of("P1", "P2"), one_of("W1", "W2"), st.none() | one_of("L1", "л")
client_ids, counterparties, currencies = one_of("C1", "C2"), one_of("A", "B"), one_of("EUR", "USD")
deal_ids, stages = one_of("D1", "D2", "D3"), one_of("a", "b", "c")

stock_events = st.one_of(
    st.builds(
        stock.Received,
        product=product_ids,
        warehouse=warehouse_ids,
        quantity=quantities,
        cost=amounts,
        currency=currencies,
        lot=lots,
        document=maybe_texts,
    ),
    st.builds(
        stock.Shipped,
        product=product_ids,
        warehouse=warehouse_ids,
        quantity=quantities,
        lot=lots,
        document=maybe_texts,
        client=st.none() | one_of("C1", "C2"),
    ),
    st.builds(
        stock.WrittenOff,
        product=product_ids,
        warehouse=warehouse_ids,
        quantity=quantities,
        lot=lots,
        reason=texts,
    ),
    st.builds(
        stock.ReturnedIn,
        product=product_ids,
        warehouse=warehouse_ids,
        quantity=quantities,
        document=texts,
        lot=lots,
        price=st.none() | amounts,
        currency=currencies,
    ),
    st.builds(
        stock.Counted,
        product=product_ids,
        warehouse=warehouse_ids,
        counted=quantities,
        adjustments=st.lists(
            st.builds(stock.Adjustment, lot=lots, quantity=small | small.map(lambda n: -n)), max_size=2
        ),
    ),
    st.builds(
        stock.CountAdjusted,
        product=product_ids,
        warehouse=warehouse_ids,
        quantity=small | small.map(lambda n: -n),
        lot=lots,
    ),
)
place = {"product": product_ids, "warehouse": warehouse_ids, "quantity": quantities}
promise_events = st.one_of(
    st.builds(promises.Reserved, reservation=texts, **place),
    st.builds(promises.Released, reservation=texts, **place),
    st.builds(promises.Ordered, order=texts, **place),
    st.builds(promises.OrderCancelled, order=texts, **place),
    st.builds(stock.Shipped, reservation=texts, reserved=small, **place),
    st.builds(transfers.Dispatched, transfer=texts, to_warehouse=warehouse_ids, lot=lots, **place),
    st.builds(transfers.Announced, transfer=texts, from_warehouse=warehouse_ids, lot=lots, **place),
    st.builds(transfers.Accepted, transfer=texts, from_warehouse=warehouse_ids, lot=lots, **place),
    st.builds(transfers.LostInTransit, transfer=texts, from_warehouse=warehouse_ids, lot=lots, **place),
)

invoice_ids, payment_ids = one_of("I1", "I2", "I3"), one_of("Z1", "Z2")
owed = {"client": client_ids, "counterparty": counterparties, "currency": currencies}
terms = st.lists(st.builds(receivables.Instalment, due_on=days, amount=amounts), min_size=1, max_size=3).map(tuple)
part = {"payment": payment_ids, "invoice": invoice_ids, "due_on": days, "amount": amounts, **owed}
off = {"invoice": invoice_ids, "amount": amounts, "parts": terms, "reason": texts, **owed}
bank = {"payment": payment_ids, "amount": amounts, "bank_account": maybe_texts, "direction": maybe_texts, **owed}
invoices = st.builds(receivables.Issued, invoice=invoice_ids, amount=amounts, issued_on=days, terms=terms, **owed)
receivables_events = st.one_of(
    invoices,
    st.builds(receivables.Credited, credit_note=texts, **off),
    st.builds(receivables.WrittenOff, **off) | st.builds(receivables.Cancelled, **off),
    st.builds(receivables.Received, **bank),
    st.builds(receivables.Refunded, **bank) | st.builds(receivables.Bounced, reason=maybe_texts, **bank),
    st.builds(receivables.Allocated, recovery=st.none() | st.just(True), **part),
    st.builds(
        receivables.Deallocated,
        from_counterparty=counterparties,
        issued_on=days,
        received_at=moments,
        recovery=st.none() | st.just(True),
        **part,
    ),
    st.builds(receivables.Offset, from_counterparty=counterparties, **part),
)

of_deal = {"deal": deal_ids, "client": client_ids, "pipeline": st.just("p")}
in_stage = {**of_deal, "stage": stages}
items = st.lists(st.fixed_dictionaries({"product": product_ids, "quantity": texts}), max_size=2)
estimates = st.builds(deals.Estimated, amount=amounts, currency=currencies, **of_deal)
deal_events = st.one_of(
    st.builds(
        deals.Opened,
        amount=st.none() | amounts,
        currency=currencies,
        owner=maybe_texts,
        source=maybe_texts,
        items=items,
        **in_stage,
    ),
    st.builds(deals.Moved, from_stage=stages, **in_stage),
    st.builds(deals.Won, **in_stage),
    st.builds(deals.Lost, reason=texts, note=maybe_texts, **in_stage),
    st.builds(deals.Reopened, outcome=one_of("won", "lost"), **in_stage),
    estimates,
    st.builds(deals.Specified, items=items, **of_deal),
    st.builds(deals.Assigned, owner=texts, **of_deal),
)

facts = st.dictionaries(one_of("size", "branch", "segment"), texts)
touches = st.builds(
    interactions.Logged,
    interaction=one_of("T1", "T2"),
    client=client_ids,
    kind=one_of("call", "email"),
    direction=st.none() | one_of("inbound"),
    subject=maybe_texts,
    source=maybe_texts,
)
client_events = st.one_of(
    st.builds(
        clients.Registered,
        client=client_ids,
        name=texts,
        kind=maybe_texts,
        source=maybe_texts,
        attributes=facts,
        contacts=facts,
    ),
    st.builds(
        clients.Changed,
        client=client_ids,
        name=maybe_texts,
        source=maybe_texts,
        attributes=st.dictionaries(one_of("size", "branch", "segment"), maybe_texts),
        contacts=st.dictionaries(one_of("phone"), maybe_texts),
    ),
    st.builds(
        clients.CounterpartyAdded,
        client=client_ids,
        counterparty=counterparties,
        name=maybe_texts,
        tax_id=maybe_texts,
    ),
    st.builds(clients.CounterpartyRetired, client=client_ids, counterparty=counterparties, retired_on=days),
    st.builds(clients.CreditLimitSet, client=client_ids, amount=amounts, currency=currencies),
    touches,
)

PIPELINE = pipelines.Defined(
    pipeline="p",
    policy="free",
    stages=tuple(
        pipelines.Stage(stage=stage, name=stage.upper(), probability=Decimal(share))
        for stage, share in (("a", "0.1"), ("b", "0.5"), ("c", "0.9"))
    ),
)
other_events = st.one_of(
    st.just(PIPELINE),
    st.builds(
        products.Registered,
        product=product_ids,
        name=texts,
        unit=texts,
        scale=st.integers(0, 6),
        costing=one_of("fifo", "average"),
        attributes=facts,
    ),
    st.builds(warehouses.Registered, warehouse=warehouse_ids, name=texts, negative_stock=one_of("forbid", "allow")),
)


def order_key(event: Event) -> str:
    match event:
        case products.Registered():
            return f"product-{event.product}"
        case clients.CounterpartyAdded() | clients.CounterpartyRetired() | clients.CreditLimitSet():
            return f"account-{event.client}"
        case deals.Opened() | deals.Moved() | deals.Won() | deals.Lost() | deals.Reopened():
            return f"deal-{event.deal}"
        case deals.Estimated() | deals.Specified() | deals.Assigned():
            return f"deal-{event.deal}"
        case clients.Registered() | clients.Changed() | interactions.Logged():
            return f"client-{event.client}"
    if type(event).__module__ == "domain.receivables.events":
        return f"account-{event.client}"
    product = getattr(event, "product", None)
    return f"product-{product}" if product else event.type


def _once(step: Step) -> object:
    """An invoice is issued once: its id is claimed."""
    return step.event.invoice if isinstance(step.event, receivables.Issued) else object()


def steps_of(events: st.SearchStrategy[Event], max_size: int = 25, min_size: int = 0) -> st.SearchStrategy[list[Step]]:
    one = st.builds(lambda event, at: Step(order_key(event), event, at), events, moments)
    return st.lists(one, min_size=min_size, max_size=max_size, unique_by=_once)


histories = steps_of(
    st.one_of(stock_events, promise_events, receivables_events, deal_events, client_events, other_events)
)


def lawful(steps: Sequence[Step]) -> list[Step]:
    """Less what the domain never lets through: an invoice is issued before it is paid, a deal opened first and once."""
    issued: set[str] = set()
    opened: set[str] = set()
    kept: list[Step] = []
    for step in steps:
        match step.event:
            case deals.Opened(deal=deal):
                if deal in opened:
                    continue
                opened.add(deal)
            case deals.Moved() | deals.Won() | deals.Lost() | deals.Reopened() if step.event.deal not in opened:
                continue
            case receivables.Issued(invoice=invoice):
                issued.add(invoice)
            case receivables.Allocated() | receivables.Deallocated() | receivables.Offset() | receivables.Credited():
                if step.event.invoice not in issued:
                    continue
            case receivables.WrittenOff() | receivables.Cancelled() if step.event.invoice not in issued:
                continue
        kept.append(step)
    return kept


def placed(steps: Sequence[Step]) -> list[Delivered]:
    """The steps as events, in this order."""
    return [
        delivered(n, step.event, step.effective_at, step.key, order_key=step.key)
        for n, step in enumerate(steps, start=1)
    ]


@st.composite
def interleaved(draw: st.DrawFn, steps: Sequence[Step]) -> list[Step]:
    """The same steps in another order, which for each order key is the same."""
    queues: dict[str, list[Step]] = {}
    for step in steps:
        queues.setdefault(step.key, []).append(step)
    turns = draw(st.permutations([step.key for step in steps]))
    iterators = {key: iter(queue) for key, queue in queues.items()}
    return [next(iterators[key]) for key in turns]
