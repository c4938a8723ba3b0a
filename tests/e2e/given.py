"""Commands that tests begin with, as they go over the wire."""

from typing import Any

Command = dict[str, Any]


def client(id: str = "C1", name: str = "Anna Schmidt GmbH", **more: object) -> Command:
    return {"type": "client.register", "client": id, "name": name, **more}


def pipeline(id: str, policy: str, *stages: str, probability: str = "0.50", **more: object) -> Command:
    listed = [{"stage": stage, "name": f"Stage {stage}", "probability": probability} for stage in stages]
    return {"type": "pipeline.define", "pipeline": id, "policy": policy, "stages": listed, **more}


def deal(id: str, pipeline: str, amount: str, *, on: str, **more: object) -> Command:
    opened = {"type": "deal.open", "deal": id, "client": "C1", "pipeline": pipeline}
    return {**opened, "amount": amount, "currency": "EUR", "effective_at": at(on), **more}


def moved(deal: str, stage: str, *, on: str) -> Command:
    return {"type": "deal.move", "deal": deal, "stage": stage, "effective_at": at(on)}


def won(deal: str, *, on: str) -> Command:
    return {"type": "deal.win", "deal": deal, "effective_at": at(on)}


def lost(deal: str, reason: str, *, on: str) -> Command:
    return {"type": "deal.lose", "deal": deal, "reason": reason, "effective_at": at(on)}


def reopened(deal: str, stage: str, *, on: str) -> Command:
    return {"type": "deal.reopen", "deal": deal, "stage": stage, "effective_at": at(on)}


def estimated(deal: str, amount: str, *, on: str) -> Command:
    return {"type": "deal.estimate", "deal": deal, "amount": amount, "currency": "EUR", "effective_at": at(on)}


def assigned(deal: str, owner: str, *, on: str) -> Command:
    return {"type": "deal.assign", "deal": deal, "owner": owner, "effective_at": at(on)}


def touched(client: str, kind: str, *, on: str, **more: object) -> Command:
    return {"type": "interaction.log", "client": client, "kind": kind, "effective_at": at(on), **more}


def product(id: str = "P1", *, scale: int = 0, **more: object) -> Command:
    return {"type": "product.register", "product": id, "name": "Lamp", "unit": "pcs", "scale": scale, **more} | {
        "costing": "fifo"
    }


def warehouse(id: str = "W1", *, negative_stock: str = "forbid") -> Command:
    return {"type": "warehouse.register", "warehouse": id, "name": "Depot", "negative_stock": negative_stock}


def received(quantity: object, *, on: str, unit_cost: str = "10.00", **more: object) -> Command:
    place = {"type": "stock.receive", "product": "P1", "warehouse": "W1", "quantity": quantity}
    return {**place, "unit_cost": unit_cost, "currency": "EUR", "effective_at": at(on), **more}


def shipped(quantity: object, *, on: str, **more: object) -> Command:
    place = {"type": "stock.ship", "product": "P1", "warehouse": "W1", "quantity": quantity}
    return {**place, "effective_at": at(on), **more}


def invoice(id: str, amount: str, *, due: str, client: str = "C1", **more: object) -> Command:
    issued = {"type": "invoice.issue", "invoice": id, "client": client, "amount": amount, "currency": "EUR"}
    return {**issued, "due_on": due, **more}


def payment(id: str, amount: str, *, client: str = "C1", **more: object) -> Command:
    paid = {"type": "payment.receive", "payment": id, "client": client, "amount": amount, "currency": "EUR"}
    return {**paid, **more}


def at(day: str) -> str:
    """Noon of a day; a time stays what it is."""
    return day if "T" in day else f"{day}T12:00:00Z"
