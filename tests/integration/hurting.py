"""A server that only one test uses, and what is done to it."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.embedded.server import EmbeddedServer


@contextmanager
def own_server() -> Iterator[EmbeddedServer]:
    directory = Path(tempfile.mkdtemp(prefix="gb", dir="/tmp"))
    directory.chmod(0o755)
    bin_dir = os.environ.get("GROSSBUCH_TEST_BIN_DIR")
    try:
        with EmbeddedServer(directory, bin_dir=Path(bin_dir) if bin_dir else None) as server:
            yield server
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def hanging(data: Path) -> Iterator[list[int]]:
    """The server of this directory is there, and does nothing: all of its processes, which are given, are stopped."""
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGSTOP)  # first, so that it makes no more of them
    processes = [postmaster, *_children(postmaster)]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield processes
    finally:
        for pid in reversed(processes):
            with suppress(ProcessLookupError):  # somebody else has let it go on, and it has ended since
                os.kill(pid, signal.SIGCONT)


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
