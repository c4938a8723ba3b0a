"""An example of each command, in an order in which a book takes them that has a second warehouse, another invoice and
another payment, and money of the legal entity (tests/e2e/test_command_addresses.py)."""

from collections.abc import Mapping
from typing import Any

_PLACE = {"product": "P1", "warehouse": "W1"}
_EUR = {"currency": "EUR"}

EXAMPLES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "client.register": ("Register a client", {"client": "C1", "name": "Anna Schmidt GmbH"}),
    "client.change": ("Change a client", {"client": "C1", "contacts": {"email": "anna@schmidt.test"}}),
    "client.add_counterparty": (
        "Add a legal entity of a client",
        {"client": "C1", "counterparty": "K1", "name": "Anna Schmidt AG"},
    ),
    "client.set_credit_limit": ("Set a credit limit", {"client": "C1", "amount": "5000.00", **_EUR}),
    "interaction.log": ("Log a call", {"client": "C1", "kind": "call", "direction": "inbound", "subject": "Lamps"}),
    "pipeline.define": (
        "Define a pipeline",
        {
            "pipeline": "sales",
            "policy": "free",
            "stages": [
                {"stage": "lead", "name": "Lead", "probability": "0.10"},
                {"stage": "offer", "name": "Offer", "probability": "0.60"},
            ],
        },
    ),
    "deal.open": (
        "Open a deal",
        {"deal": "D1", "client": "C1", "pipeline": "sales", "amount": "1200.00", **_EUR},
    ),
    "deal.assign": ("Give a deal to somebody", {"deal": "D1", "owner": "maria"}),
    "deal.estimate": ("Say what a deal is worth", {"deal": "D1", "amount": "1400.00", **_EUR}),
    "product.register": (
        "Register a product",
        {"product": "P1", "name": "Lamp", "unit": "pcs", "scale": 0, "costing": "fifo"},
    ),
    "deal.specify": (
        "Say what a deal is about",
        {"deal": "D1", "items": [{"product": "P1", "quantity": "5", "price": "280.00"}]},
    ),
    "deal.move": ("Move a deal to a stage", {"deal": "D1", "stage": "offer"}),
    "deal.lose": ("Lose a deal", {"deal": "D1", "reason": "price"}),
    "deal.reopen": ("Reopen a deal", {"deal": "D1", "stage": "offer"}),
    "deal.win": ("Win a deal", {"deal": "D1"}),
    "warehouse.register": (
        "Register a warehouse",
        {"warehouse": "W1", "name": "Depot", "negative_stock": "allow"},
    ),
    "stock.list_reasons": ("List the reasons to write stock off", {"reasons": ["damaged", "stolen"]}),
    "stock.order": ("Order stock", {**_PLACE, "order": "O1", "quantity": "50"}),
    "stock.cancel_order": ("Call an order off", {"order": "O1"}),
    "stock.receive": ("Receive stock", {**_PLACE, "quantity": "40", "unit_cost": "14.00", **_EUR}),
    "stock.reserve": ("Reserve stock", {**_PLACE, "reservation": "R1", "quantity": "10"}),
    "stock.release": ("Release a reservation", {"reservation": "R1"}),
    "stock.ship": ("Ship stock", {**_PLACE, "quantity": "5"}),
    "stock.return_in": ("Take stock back from a client", {**_PLACE, "quantity": "1", "document": "S1"}),
    "stock.return_out": ("Give stock back to a supplier", {**_PLACE, "quantity": "2", "document": "B1"}),
    "stock.write_off": ("Write stock off", {**_PLACE, "quantity": "1", "reason": "damaged"}),
    "stock.dispatch": (
        "Send stock to another warehouse",
        {"transfer": "T1", "product": "P1", "from_warehouse": "W1", "to_warehouse": "W2", "quantity": "3"},
    ),
    "stock.accept": ("Take in what was sent", {"transfer": "T1", "quantity": "3"}),
    "stock.count": ("Enter a stocktake", {**_PLACE, "counted": "29"}),
    "invoice.issue": (
        "Issue an invoice",
        {"invoice": "I1", "client": "C1", "amount": "300.00", **_EUR, "due_on": "2099-06-10"},
    ),
    "invoice.credit": ("Credit a part of an invoice", {"invoice": "I1", "amount": "20.00", "reason": "late"}),
    "payment.receive": ("Receive a payment", {"payment": "Z1", "client": "C1", "amount": "100.00", **_EUR}),
    "payment.allocate": ("Pay an invoice with it", {"payment": "Z1", "invoice": "I1", "amount": "60.00"}),
    "payment.deallocate": ("Take it back from an invoice", {"payment": "Z1", "invoice": "I1", "amount": "60.00"}),
    "receivable.offset": (
        "Pay with another legal entity's money",
        {"client": "C1", "from_counterparty": "K1", "invoice": "I1", "amount": "50.00"},
    ),
    "payment.refund": ("Pay money back", {"payment": "Z1", "amount": "40.00"}),
    "payment.bounce": ("Say that a payment bounced", {"payment": "Z2", "reason": "no cover"}),
    "invoice.write_off": ("Give a debt up", {"invoice": "I1", "amount": "10.00", "reason": "insolvent"}),
    "invoice.cancel": ("Cancel an invoice", {"invoice": "I2", "reason": "twice"}),
    "client.retire_counterparty": ("Retire a legal entity", {"client": "C1", "counterparty": "K1"}),
    "period.close": ("Close a month", {"through": "2025-12-31"}),
}
