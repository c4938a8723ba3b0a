"""Net sales: what was invoiced, less credit notes and invoices cancelled, by client and month."""

from domain.receivables import Cancelled, Credited, Issued
from projections.shapes import Register, Row

sales = Register("sales", dimensions={"client": "text", "currency": "text"}, resources=("amount",))


@sales.on(Issued)
def sold(e: Issued) -> Row:
    return e.client, e.currency, e.amount


@sales.on(Credited, Cancelled)
def unsold(e: Credited | Cancelled) -> Row:
    return e.client, e.currency, -e.amount
