"""Commands a second of every type: sixteen callers, each waiting for its durable answer."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

from api.service import Service, open_service
from bench.measure import Row, server, spread
from commands.bus import Accepted
from commands.command import command_types, parse
from infra.settings import Settings

CALLERS, COMMANDS, ROUNDS = 16, 500, 3

Body = dict[str, Any]
Make = Callable[[str], list[Body]]
"""Of an id that is used nowhere else: what must be there before, and last the command that is measured."""

STOCK = {"product": "P", "warehouse": "W1", "quantity": 1}
COST = {"cost": 1, "currency": "EUR"}
EUR = {"amount": "10.00", "currency": "EUR"}
DUE = {"due_on": "2026-12-31"}


def says(type: str, **fields: Any) -> Body:
    return {"type": type, **fields}


def client(id: str) -> Body:
    return says("client.register", client=id, name="C")


def deal(id: str, *then: Body) -> list[Body]:
    return [says("deal.open", deal=id, client="C", pipeline="S"), *then]


def stocked(id: str, *then: Body) -> list[Body]:
    """A product of its own, with a thousand in stock."""
    product = says("product.register", product=id, name="P", unit="pcs", scale=0, costing="fifo")
    return [product, says("stock.receive", product=id, warehouse="W1", quantity=1000, **COST), *then]


def moved(verb: str, **fields: Any) -> Make:
    return lambda id: stocked(id, says(f"stock.{verb}", **{**STOCK, "product": id}, **fields))


def owing(id: str, *then: Body) -> list[Body]:
    """A client of its own, who owes ten and has paid ten that is not allocated."""
    invoice = says("invoice.issue", invoice=id, client=id, **EUR, **DUE)
    return [client(id), invoice, says("payment.receive", payment=id, client=id, **EUR), *then]


def paid(id: str, *then: Body) -> list[Body]:
    return owing(id, says("payment.allocate", payment=id, invoice=id, amount="10.00"), *then)


STAGES = [{"stage": stage, "name": stage, "probability": "0.5"} for stage in ("A", "B")]

MAKES: dict[str, Make] = {
    "client.register": lambda id: [client(id)],
    "client.change": lambda id: [client(id), says("client.change", client=id, name="D")],
    "client.add_counterparty": lambda id: [client(id), says("client.add_counterparty", client=id, counterparty="X")],
    "client.retire_counterparty": lambda id: [
        client(id),
        says("client.add_counterparty", client=id, counterparty="X"),
        says("client.retire_counterparty", client=id, counterparty="X"),
    ],
    "client.set_credit_limit": lambda id: [client(id), says("client.set_credit_limit", client=id, **EUR)],
    "interaction.log": lambda _: [says("interaction.log", client="C", kind="call")],
    "pipeline.define": lambda id: [says("pipeline.define", pipeline=id, policy="free", stages=STAGES)],
    "deal.open": lambda id: deal(id),
    "deal.estimate": lambda id: deal(id, says("deal.estimate", deal=id, **EUR)),
    "deal.specify": lambda id: deal(id, says("deal.specify", deal=id, items=[{"product": "P", "quantity": 1}])),
    "deal.assign": lambda id: deal(id, says("deal.assign", deal=id, owner="anna")),
    "deal.move": lambda id: deal(id, says("deal.move", deal=id, stage="B")),
    "deal.win": lambda id: deal(id, says("deal.win", deal=id)),
    "deal.lose": lambda id: deal(id, says("deal.lose", deal=id, reason="price")),
    "deal.reopen": lambda id: deal(id, says("deal.win", deal=id), says("deal.reopen", deal=id, stage="A")),
    "product.register": lambda id: stocked(id)[:1],
    "warehouse.register": lambda id: [says("warehouse.register", warehouse=id, name="W", negative_stock="forbid")],
    "stock.receive": moved("receive", **COST),
    "stock.ship": moved("ship"),
    "stock.write_off": moved("write_off", reason="damage"),
    "stock.return_in": moved("return_in", document="X"),
    "stock.return_out": moved("return_out", document="X"),
    "stock.reserve": lambda id: stocked(id, says("stock.reserve", **{**STOCK, "product": id}, reservation=id)),
    "stock.release": lambda id: stocked(
        id, says("stock.reserve", **{**STOCK, "product": id}, reservation=id), says("stock.release", reservation=id)
    ),
    "stock.order": lambda id: stocked(id, says("stock.order", **{**STOCK, "product": id}, order=id)),
    "stock.cancel_order": lambda id: stocked(
        id, says("stock.order", **{**STOCK, "product": id}, order=id), says("stock.cancel_order", order=id)
    ),
    "stock.dispatch": lambda id: stocked(id, sent(id)),
    "stock.accept": lambda id: stocked(id, sent(id), says("stock.accept", transfer=id, quantity=1)),
    "stock.count": lambda id: stocked(id, says("stock.count", product=id, warehouse="W1", counted=999)),
    "stock.list_reasons": lambda _: [says("stock.list_reasons", reasons=["damage"])],
    "invoice.issue": lambda id: [client(id), says("invoice.issue", invoice=id, client=id, **EUR, **DUE)],
    "invoice.credit": lambda id: owing(id, says("invoice.credit", invoice=id, amount="1.00", reason="late")),
    "invoice.write_off": lambda id: owing(id, says("invoice.write_off", invoice=id, amount="1.00", reason="bad")),
    "invoice.cancel": lambda id: owing(id, says("invoice.cancel", invoice=id, reason="mistake")),
    "payment.receive": lambda id: [client(id), says("payment.receive", payment=id, client=id, **EUR)],
    "payment.allocate": lambda id: paid(id),
    "payment.deallocate": lambda id: paid(id, says("payment.deallocate", payment=id, invoice=id, amount="10.00")),
    "payment.bounce": lambda id: paid(id, says("payment.bounce", payment=id)),
    "payment.refund": lambda id: owing(id, says("payment.refund", payment=id, amount="1.00")),
    "receivable.offset": lambda id: [
        *owing(id, says("client.add_counterparty", client=id, counterparty="X")),
        says("invoice.issue", invoice=f"{id}x", client=id, counterparty="X", **EUR, **DUE),
        says("receivable.offset", client=id, from_counterparty=id, invoice=f"{id}x", amount="1.00"),
    ],
}
ALONE = {"period.close"}
"""Once a month, and each closes what the others need."""


def sent(id: str) -> Body:
    return says("stock.dispatch", transfer=id, product=id, from_warehouse="W1", to_warehouse="W2", quantity=1)


def main(commands: int = COMMANDS) -> list[Row]:
    assert MAKES.keys() | ALONE == command_types().keys(), MAKES.keys() ^ command_types().keys()
    with server() as dsn, open_service(Settings(DATABASE_URL=dsn, ledger="bench_commands")) as service:
        _enter(service, [client("C"), says("pipeline.define", pipeline="S", policy="free", stages=STAGES)])
        _enter(
            service, [says("warehouse.register", warehouse=w, name=w, negative_stock="forbid") for w in ("W1", "W2")]
        )
        _enter(service, stocked("P"))
        return [*_rows(service, commands), _on_one_stream(service)]


def _rows(service: Service, commands: int) -> Iterator[Row]:
    for type, make in MAKES.items():
        rates = []
        for number in range(ROUNDS):
            made = [make(f"{type}:{number}:{n}") for n in range(commands)]
            _enter(service, [body for *before, _ in made for body in before])
            rates.append(_rate(service, [last for *_, last in made]))
        print(f"  {type}: {spread(rates)}", flush=True)
        yield Row(f"`{type}`, {CALLERS} callers: commands/s", spread(rates), "", "", "stated")


def _on_one_stream(service: Service) -> Row:
    """Each is decided on what the one before it has left behind."""
    receipts = [says("stock.receive", **STOCK, **COST) for _ in range(2 * COMMANDS)]
    rates = [_rate(service, receipts, 50) for _ in range(ROUNDS)]
    return Row("`stock.receive` of one item, 50 callers: commands/s", spread(rates), "", "", "stated")


def _enter(service: Service, bodies: Sequence[Body]) -> None:
    for start in range(0, len(bodies), 1000):
        for outcome in service.bus.execute([parse(body) for body in bodies[start : start + 1000]]):
            assert isinstance(outcome, Accepted), outcome


def _rate(service: Service, bodies: Sequence[Body], callers: int = CALLERS) -> float:
    def one(body: Body) -> None:
        [outcome] = service.bus.execute([parse(body)])
        assert isinstance(outcome, Accepted), outcome

    with ThreadPoolExecutor(callers) as pool:
        started = perf_counter()
        for _ in pool.map(one, bodies):
            pass
        return len(bodies) / (perf_counter() - started)


if __name__ == "__main__":
    print(*main(), sep="\n")
