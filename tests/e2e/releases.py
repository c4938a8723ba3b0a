"""Other releases of the product, each in a directory of its own and run from there."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from shutil import copytree
from tarfile import TarFile

from tests.e2e.serving import Up

ROOT = Path(__file__).parents[2]
BEFORE = "5d1c0cd"
"""The release before. It must be in the history: a shallow clone has it not, and then the tests fail."""

ROOMS = ("domain", "commands", "projections", "consumers", "infra", "api")
MAIN = "from api.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Release:
    directory: Path

    def up(self, log: Path, env: Mapping[str, str], how: str = "up") -> Up:
        """-P: what is installed, and where the tests run, comes after the directory."""
        own = {**env, "PYTHONPATH": str(self.directory)}
        return Up(log=log, env=own, how=how, program=(sys.executable, "-P", "-c", MAIN))


def release_before(directory: Path) -> Release:
    archive = subprocess.run(["git", "archive", BEFORE, *ROOMS], cwd=ROOT, capture_output=True, check=True).stdout
    with TarFile(fileobj=BytesIO(archive)) as files:
        files.extractall(directory, filter="data")
    return Release(directory)


def release_after(directory: Path) -> Release:
    """This one, with a migration more, and with tables that are laid out anew: all read models are filled again."""
    for room in ROOMS:
        copytree(ROOT / room, directory / room)
    shapes = directory / "infra" / "postgres" / "shape_sql.py"
    text, times = re.subn(r"(?<=: )(\d+)(?=[,}])", r"\g<1>0", _layouts(shapes.read_text()))
    assert times == 3
    shapes.write_text(shapes.read_text().replace(_layouts(shapes.read_text()), text))
    added = directory / "infra" / "postgres" / "migrations" / "9999_after"
    added.mkdir()
    for table in ("event", "head", "tracking", "generation"):
        (added / f"{table}.sql").write_text(f"ALTER TABLE {table} ADD COLUMN added_later int;\n")
    return Release(directory)


def _layouts(text: str) -> str:
    found = re.search(r"^LAYOUTS.*$", text, re.MULTILINE)
    assert found
    return found[0]
