"""``grossbuch months``: the months of registers' movements, and which of them are put away."""

import re
from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from api.cli import options
from api.cli.terminal import result, say, table
from api.service import Opening, open_service
from infra.postgres.months import Months
from projections import PROJECTIONS
from projections.shapes import Register

app = typer.Typer(help="Months of registers' movements.", no_args_is_help=True)

REGISTERS = {
    shape.name: (projection.name, shape)
    for projection in PROJECTIONS
    for shape in projection.shapes
    if isinstance(shape, Register)
}
Name = Annotated[str, typer.Argument(help="As in the list, e.g. stock")]
Written = Annotated[str, typer.Argument(metavar="YYYY-MM", help="The month")]


@app.command("list")
def list_(
    register: Annotated[str | None, typer.Argument(help="One register's only")] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Each month with its size: attached; detached; gone, if its table is not there; unverified, if it was written to
    since it was detached."""
    chosen = [_register(register)] if register else list(REGISTERS.values())
    with open_service(options.settings(data), say, opening=Opening.FIND) as service:
        kept = [asdict(each) for each in Months(service.pool.database).list(shape for _, shape in chosen)]
    if as_json:
        result({"items": kept})
    else:
        table("Months", ["register", "month", "state", "bytes"], kept)


@app.command("detach")
def detach(register: Name, month: Written, data: options.Data = None, as_json: options.Json = False) -> None:
    """Take the movements of a month that is over out of the register. Sums of whole months stay as they are; what needs
    its days is refused."""
    projection, shape = _register(register)
    day = _month(month)
    with open_service(options.settings(data), say, opening=Opening.FIND) as service:
        Months(service.pool.database).detach(projection, shape, day)
    _tell(register, month, "detached", as_json=as_json)


@app.command("attach")
def attach(register: Name, month: Written, data: options.Data = None, as_json: options.Json = False) -> None:
    """Have the movements of a month in the register again, if they are what its turnovers say."""
    _, shape = _register(register)
    day = _month(month)
    with open_service(options.settings(data), say, opening=Opening.FIND) as service:
        Months(service.pool.database).attach(shape, day)
    _tell(register, month, "attached", as_json=as_json)


def _tell(register: str, month: str, state: str, *, as_json: bool) -> None:
    if as_json:
        result({"register": register, "month": month, "state": state})
    else:
        say(f"{register} {month} is {state}.")


def _register(name: str) -> tuple[str, Register]:
    if name not in REGISTERS:
        raise typer.BadParameter(f"no register {name}; there are {', '.join(sorted(REGISTERS))}")
    return REGISTERS[name]


def _month(written: str) -> date:
    if not re.fullmatch(r"[12][0-9]{3}-(0[1-9]|1[0-2])", written):
        raise typer.BadParameter(f"{written} is not a month; write it as 2026-05")
    return date.fromisoformat(f"{written}-01")
