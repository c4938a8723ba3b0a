"""The command line, one module a command.

Exit status: 0 done, 1 failed, 2 wrong use, 3 a check found a difference.
"""

import signal
import sys
from importlib import import_module, metadata
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup

from api.collector import collect_seldom

COMMANDS = {
    "up": "up",
    "serve": "serve",
    "migrate": "migrate",
    "upgrade": "upgrade",
    "relay": "relay",
    "consume": "consume",
    "import": "importing.import_",
    "export": "exporting.export",
    "demo": "demo",
    "rebuild": "rebuild",
    "sql": "sql",
    "check": "check",
    "diff": "diff",
    "explain": "explain",
    "repartition": "repartition",
    "recover": "recover",
    "generations": "generations.app",
    "months": "months.app",
    "quarantine": "quarantine.app",
}
"""Each by its module, and by what it is called there, if not like the module."""


class Commands(TyperGroup):
    """Imports a command when it is asked for: to import them all takes longer than most have to do."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, called = COMMANDS[cmd_name].partition(".")
        found = getattr(import_module(f"api.cli.{module}"), called or module)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(found)
            found = alone
        command = typer.main.get_command(found)
        assert isinstance(command, TyperCommand | TyperGroup)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="grossbuch", cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"grossbuch {metadata.version('grossbuch')}")
        raise typer.Exit


@app.callback()
def grossbuch(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell which release this is")
    ] = False,
) -> None:
    """The book of record for customers, stock and money."""


def main() -> None:
    """What went wrong is told in one line; a stack trace is for what nobody expected."""
    signal.signal(signal.SIGTERM, _terminated)
    collect_seldom()
    try:
        app()
    except Exception as error:
        if not isinstance(error, import_module("api.cli.expected").EXPECTED):
            raise
        typer.echo(f"grossbuch: {' '.join(str(error).split())}", err=True)
        sys.exit(1)


def _terminated(number: int, _: object) -> None:
    """As Ctrl-C does: on the way out the embedded database is let go."""
    sys.exit(128 + number)
