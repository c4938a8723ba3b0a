"""Whoever is on call on a bad day, and does what docs/how-to/when-something-is-wrong.md says."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.embedded.binaries import default_bin_dir
from tests.alarms import Entry

PROGRAMS = f"{Path(sys.executable).parent}:{os.environ['PATH']}:{default_bin_dir()}"


class OnCall:
    """``address`` and ``env`` are of the server that is looked after."""

    def __init__(self, entry: Entry, directory: Path) -> None:
        self._entry = entry
        self._directory = directory
        self.untyped = list(entry.commands)
        self.address = ""
        self.env: Mapping[str, str] = {}

    def sees(self, words: str, told: str) -> bool:
        """What the table has with these words is told; or it fails."""
        assert self._entry.tells(words, told), f"{self._entry.seen}: {told}"
        return True

    def types(self, words: str, *, status: int = 0, process: object = "") -> str:
        """The one command of the entry that has these words, with a process for the page's; what it says."""
        typed = self._entry.commands
        [command] = [each for each in typed if each == words] or [each for each in typed if words in each]
        if command in self.untyped:
            self.untyped.remove(command)
        here = command.replace("localhost:8420", self.address.removeprefix("http://"))
        here = re.sub(r"\b8420\b", self.address.rpartition(":")[2], here)
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-ec", re.sub(r"\b4711\b", str(process), here)],
            capture_output=True,
            text=True,
            timeout=240,
            cwd=self._directory,
            env={**os.environ, "PATH": PROGRAMS, **self.env},
        )
        assert done.returncode == status, f"{command}: {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr
