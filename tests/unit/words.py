"""The commands that the tests are told in, with what is of no matter filled in."""

from commands.command import Command
from tests.unit.given import command


def register_client(id: str = "C1", **more: object) -> Command:
    return command("client.register", **{"client": id, "name": "Anna Schmidt GmbH", **more})


def log_interaction(kind: str = "call", **more: object) -> Command:
    return command("interaction.log", **{"client": "C1", "kind": kind, **more})


def define_pipeline(policy: str = "free", *stages: str, id: str = "P", **requires: list[str]) -> Command:
    listed = [
        {"stage": stage, "name": f"Stage {stage}", "probability": "0.5", "requires": requires.get(stage, [])}
        for stage in stages or ("A", "B", "C")
    ]
    return command("pipeline.define", pipeline=id, policy=policy, stages=listed)


def open_deal(id: str = "D1", on: str | None = None, **more: object) -> Command:
    return command("deal.open", on, **{"deal": id, "client": "C1", "pipeline": "P", **more})


def move(stage: str, on: str | None = None, deal: str = "D1") -> Command:
    return command("deal.move", on, deal=deal, stage=stage)


def win(on: str | None = None, deal: str = "D1") -> Command:
    return command("deal.win", on, deal=deal)


def lose(reason: str = "price", on: str | None = None, deal: str = "D1") -> Command:
    return command("deal.lose", on, deal=deal, reason=reason)


def reopen(stage: str, on: str | None = None, deal: str = "D1") -> Command:
    return command("deal.reopen", on, deal=deal, stage=stage)


def estimate(amount: object, on: str | None = None, deal: str = "D1", currency: str = "EUR") -> Command:
    return command("deal.estimate", on, deal=deal, amount=str(amount), currency=currency)


def specify(*products: str, on: str | None = None, deal: str = "D1") -> Command:
    return command("deal.specify", on, deal=deal, items=[{"product": each, "quantity": "1"} for each in products])


def assign(owner: str, on: str | None = None, deal: str = "D1") -> Command:
    return command("deal.assign", on, deal=deal, owner=owner)


def register_product(id: str = "lamp", scale: int = 0, **more: object) -> Command:
    fields = {"product": id, "name": "Lamp", "unit": "pcs", "scale": scale, "costing": "fifo", **more}
    return command("product.register", **fields)


def register_warehouse(id: str = "north", negative_stock: str = "forbid") -> Command:
    return command("warehouse.register", warehouse=id, name="Depot", negative_stock=negative_stock)


def receive(quantity: object, on: str | None = None, **more: object) -> Command:
    cost = {} if "cost" in more else {"unit_cost": "10.00"}
    return _stock("receive", quantity, on, **{**cost, "currency": "EUR", **more})


def ship(quantity: object, on: str | None = None, **more: object) -> Command:
    return _stock("ship", quantity, on, **more)


def write_off(quantity: object, on: str | None = None, **more: object) -> Command:
    return _stock("write_off", quantity, on, **{"reason": "damage", **more})


def count_stock(counted: object, on: str | None = None, **more: object) -> Command:
    return command("stock.count", on, **{"product": "lamp", "warehouse": "north", "counted": str(counted), **more})


def return_in(quantity: object, on: str | None = None, **more: object) -> Command:
    return _stock("return_in", quantity, on, **{"document": "SH-1", **more})


def return_out(quantity: object, on: str | None = None, **more: object) -> Command:
    return _stock("return_out", quantity, on, **{"document": "RC-1", **more})


def reserve(quantity: object, on: str | None = None, **more: object) -> Command:
    return _stock("reserve", quantity, on, **{"reservation": "R1", **more})


def release(reservation: str = "R1", on: str | None = None) -> Command:
    return command("stock.release", on, reservation=reservation)


def order(quantity: object, on: str | None = None, **more: object) -> Command:
    return _stock("order", quantity, on, **{"order": "O1", **more})


def cancel_order(order: str = "O1", on: str | None = None) -> Command:
    return command("stock.cancel_order", on, order=order)


def dispatch(quantity: object, on: str | None = None, **more: object) -> Command:
    fields = {"transfer": "T1", "product": "lamp", "from_warehouse": "north", "to_warehouse": "south"}
    return command("stock.dispatch", on, **{**fields, "quantity": str(quantity), **more})


def accept(quantity: object, on: str | None = None, *, transfer: str = "T1", **more: object) -> Command:
    return command("stock.accept", on, **{"transfer": transfer, "quantity": str(quantity), **more})


def _stock(verb: str, quantity: object, on: str | None, **more: object) -> Command:
    fields = {"product": "lamp", "warehouse": "north", "quantity": str(quantity), **more}
    return command(f"stock.{verb}", on, **fields)


def issue(invoice: str | None, amount: object, due: str, on: str | None = None, **more: object) -> Command:
    id = {"invoice": invoice} if invoice else {}
    fields = {**id, "client": "C1", "amount": str(amount), "currency": "EUR", "due_on": due, **more}
    return command("invoice.issue", on, **fields)


def pay(amount: object, on: str | None = None, *, payment: str = "Z1", **more: object) -> Command:
    fields = {"payment": payment, "client": "C1", "amount": str(amount), "currency": "EUR", **more}
    return command("payment.receive", on, **fields)


def to(invoice: str, amount: object) -> dict[str, str]:
    """A part of an explicit allocation."""
    return {"invoice": invoice, "amount": str(amount)}


def credit(invoice: str, amount: object, on: str | None = None, **more: object) -> Command:
    return command("invoice.credit", on, **{"invoice": invoice, "amount": str(amount), "reason": "damaged", **more})


def give_up(invoice: str, amount: object, on: str | None = None) -> Command:
    return command("invoice.write_off", on, invoice=invoice, amount=str(amount), reason="insolvent")


def cancel(invoice: str, on: str | None = None) -> Command:
    return command("invoice.cancel", on, invoice=invoice, reason="sent by mistake")


def allocate(payment: str, invoice: str, amount: object, on: str | None = None) -> Command:
    return command("payment.allocate", on, payment=payment, invoice=invoice, amount=str(amount))


def deallocate(payment: str, invoice: str, amount: object, on: str | None = None) -> Command:
    return command("payment.deallocate", on, payment=payment, invoice=invoice, amount=str(amount))


def bounce(payment: str, on: str | None = None, **more: object) -> Command:
    return command("payment.bounce", on, payment=payment, **more)


def refund(payment: str, amount: object, on: str | None = None) -> Command:
    return command("payment.refund", on, payment=payment, amount=str(amount))


def offset(from_counterparty: str, invoice: str, amount: object, on: str | None = None, client: str = "C1") -> Command:
    fields = {"client": client, "from_counterparty": from_counterparty, "invoice": invoice, "amount": str(amount)}
    return command("receivable.offset", on, **fields)


def change_client(client: str = "C1", on: str | None = None, **changes: object) -> Command:
    return command("client.change", on, client=client, **changes)


def add_counterparty(counterparty: str, on: str | None = None, *, client: str = "C1", **more: object) -> Command:
    return command("client.add_counterparty", on, client=client, counterparty=counterparty, **more)


def retire_counterparty(counterparty: str, on: str | None = None, *, client: str = "C1") -> Command:
    return command("client.retire_counterparty", on, client=client, counterparty=counterparty)


def limit_credit(amount: object, currency: str = "EUR", on: str | None = None, client: str = "C1") -> Command:
    return command("client.set_credit_limit", on, client=client, amount=str(amount), currency=currency)
