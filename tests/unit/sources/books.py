"""What the tests read out of a stream of commands."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from infra.sources.source import Command, Totals


def of(commands: Iterable[Command], *types: str) -> list[Command]:
    return [command for command in commands if command["type"] in types]


def total(commands: Iterable[Command], type_: str, field: str) -> Decimal:
    return sum((Decimal(str(command[field])) for command in of(commands, type_)), Decimal(0))


def added_up(commands: list[Command], *, like: Totals) -> Totals:
    """The totals of the commands themselves; what no command tells is taken from the others."""
    advances = [command for command in commands if "allocate" not in command]
    return Totals(
        currency=like.currency,
        lines=like.lines,
        clients=len(of(commands, "client.register")),
        products=len(of(commands, "product.register")),
        warehouses=len(of(commands, "warehouse.register")),
        received=total(commands, "stock.receive", "quantity"),
        shipments=len(of(commands, "stock.ship")),
        units=total(commands, "stock.ship", "quantity"),
        invoices=len(of(commands, "invoice.issue")),
        amount=total(commands, "invoice.issue", "amount"),
        payments=len(of(commands, "payment.receive")),
        paid=total(commands, "payment.receive", "amount"),
        written_off=total(commands, "stock.write_off", "quantity"),
        unapplied=total(advances, "payment.receive", "amount"),
        deals=len(of(commands, "deal.open")),
        won=len(of(commands, "deal.win")),
        lost=len(of(commands, "deal.lose")),
        left_out=like.left_out,
        ageing=like.ageing,
    )


def moments(commands: Iterable[Command]) -> list[str]:
    return [str(command["effective_at"]) for command in commands]


def leaves(value: object) -> Iterator[object]:
    """Every value in a command, however deep."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def lowest_stock(commands: Iterable[Command]) -> Decimal:
    """The least that any product ever is in any warehouse, as the commands come."""
    signs = {"stock.receive": 1, "stock.ship": -1, "stock.write_off": -1}
    on_hand: dict[object, Decimal] = {}
    lowest = Decimal(0)
    for command in of(commands, *signs):
        place = command["product"], command["warehouse"]
        on_hand[place] = on_hand.get(place, Decimal(0)) + signs[str(command["type"])] * Decimal(
            str(command["quantity"])
        )
        lowest = min(lowest, on_hand[place])
    return lowest
