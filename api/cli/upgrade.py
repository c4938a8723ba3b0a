"""``grossbuch upgrade``: an embedded database goes to a later major version of PostgreSQL."""

from pathlib import Path
from typing import Annotated

import typer

from api.book import home
from api.cli import options
from api.cli.terminal import result, say
from infra.embedded.upgrade import upgrade as upgraded


def upgrade(
    data: options.Data = None,
    from_bin_dir: Annotated[
        Path | None, typer.Option(help="Programs of the old PostgreSQL", show_default="looked for")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Take an embedded database to the PostgreSQL of this release, by dump and restore, verified; the old one is kept.
    Stop all that uses it first. What was broken off is begun again, or ended."""
    settings = options.settings(data)
    if settings.database_url:
        raise typer.BadParameter("DATABASE_URL names a server of your own: upgrade it as PostgreSQL's manual says")
    done = upgraded(home(settings), bin_dir=settings.bin_dir, from_bin_dir=from_bin_dir, say=say)
    if as_json:
        told = {"from": done.before, "to": done.after, "rows": done.rows, "kept": str(done.kept)} if done else {}
        result({"upgraded": done is not None, **told})
    elif done:
        say(
            f"The database is of PostgreSQL {done.after} now: {done.rows:,} rows of {done.tables} tables are there as"
            f" they were. The old one is kept in {done.kept}; drop it when you like."
        )
    else:
        say("The database is of the PostgreSQL of this release.")
