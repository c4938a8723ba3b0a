"""An embedded database taken to a later major version of PostgreSQL, by dump and restore.

``upgrade/`` is where the new one is made, by the new programs. When all is found equal it takes the place of ``data/``,
which is kept as ``data.15``. Broken off before that, nothing has happened; broken off between, the next call ends it.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from infra.embedded.binaries import Binaries, binaries, default_bin_dir
from infra.embedded.directories import sync
from infra.embedded.errors import EmbeddedError
from infra.embedded.locks import FileLock, exclusive, is_held
from infra.embedded.server import UPGRADE, EmbeddedServer
from infra.embedded.transfer import transfer

DEBIAN = "/usr/lib/postgresql/{major}/bin"


@dataclass(frozen=True, slots=True)
class Upgraded:
    before: str
    after: str
    tables: int
    rows: int
    kept: Path


def upgrade(
    directory: Path,
    *,
    bin_dir: Path | None = None,
    from_bin_dir: Path | None = None,
    say: Callable[[str], object] = str,
) -> Upgraded | None:
    """To the version of ``bin_dir``, or of the wheel; the old one's programs are looked for unless told. None: there is
    nothing to do any more."""
    home = directory.resolve()
    if not home.is_dir():
        raise EmbeddedError(f"There is no database in {home}.")
    with exclusive(home / "start.lock") as turn:
        return _upgrade(home, turn, bin_dir, from_bin_dir, say)


def _upgrade(
    home: Path, turn: FileLock, bin_dir: Path | None, from_bin_dir: Path | None, say: Callable[[str], object]
) -> Upgraded | None:
    data, made = home / "data", home / UPGRADE
    if not data.exists() and (made / "data").exists():
        _take_place(home)
    if not data.exists():
        raise EmbeddedError(f"There is no database in {home}.")
    before = (data / "PG_VERSION").read_text().strip()
    new = _new_programs(before, bin_dir)
    _clear(made, new)
    if new.major == before:
        return None
    old = _old_programs(before, from_bin_dir or bin_dir)
    say(f"From PostgreSQL {before} to {new.major} …")
    log = home / "log" / "upgrade.log"
    with (
        EmbeddedServer(home, bin_dir=old.directory).alone(turn, say) as source,
        EmbeddedServer(made, bin_dir=new.directory) as target,
    ):
        contents = transfer(source, target.dsn, new, log)
    kept = next(path for path in _names(home, before) if not path.exists())
    data.rename(kept)
    sync(home)
    _take_place(home)
    return Upgraded(before, new.major, len(contents), sum(each.rows for each in contents.values()), kept)


def _take_place(home: Path) -> None:
    (home / UPGRADE / "data").rename(home / "data")
    sync(home)
    shutil.rmtree(home / UPGRADE)


def _names(home: Path, major: str) -> Iterator[Path]:
    yield home / f"data.{major}"
    yield from (home / f"data.{major}.{number}" for number in count(2))


def _clear(made: Path, programs: Binaries) -> None:
    """What was broken off: its server may still run."""
    if made.exists():
        if is_held(made / "server.lock"):
            with EmbeddedServer(made, bin_dir=programs.directory):
                pass  # the last one out stops it
        shutil.rmtree(made)


def _new_programs(before: str, bin_dir: Path | None) -> Binaries:
    """The setting may still name the old ones."""
    told = binaries(bin_dir)
    new = told if told.major != before else binaries(None)
    if int(new.major) < int(before):
        raise EmbeddedError(f"The database is of PostgreSQL {before}, and this is {new.major}: there is no way back.")
    return new


def _old_programs(major: str, told: Path | None) -> Binaries:
    for directory in filter(None, (told, Path(DEBIAN.format(major=major)), default_bin_dir())):
        if (directory / "postgres").exists() and Binaries(directory.resolve()).major == major:
            return binaries(directory)
    raise EmbeddedError(
        f"PostgreSQL {major}, which made the database, is not to be found: install it, and name the directory of its"
        " programs with --from-bin-dir."
    )
