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
