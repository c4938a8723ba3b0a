"""``grossbuch`` in processes that need not import it first, which takes longer than most of them have to do: they are
forked from one that has. ``Up`` (tests/e2e/serving.py) starts the script itself, as users do."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import current_process, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from api.cli import COMMANDS

Main = Callable[[], object]

_context = get_context("forkserver")
_context.set_forkserver_preload(
    ["pytest", "tests.kafka.frail", *(f"api.cli.{at.split('.')[0]}" for at in COMMANDS.values())]
)


class Forked:
    """As much of a ``subprocess.Popen`` as tests use."""

    def __init__(self, main: Main, words: Sequence[str], env: Mapping[str, str], files: Sequence[Path | str]) -> None:
        """``files`` are what it reads, and what it says, errors, too, unless there is a third one."""
        told = (main, [*words], {**env}, str(Path.cwd()), [str(each) for each in files])
        self._process = _context.Process(target=_run, args=told, daemon=True)
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    main: Main, words: Sequence[str], env: Mapping[str, str], input: str, timeout: float
) -> "subprocess.CompletedProcess[str]":
    with TemporaryDirectory() as made:
        files = [Path(made) / name for name in ("in", "out", "err")]
        files[0].write_text(input)
        process = Forked(main, words, env, files)
        try:
            status = process.wait(timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(words, status, *(each.read_text() for each in files[1:]))


def _run(main: Main, words: list[str], env: Mapping[str, str], directory: str, files: Sequence[str]) -> None:
    """In the child. That it is ended with us does not keep it from having children of its own."""
    current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    sys.modules["__main__"] = ModuleType("__main__")  # not that of the tests, which those children would import
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(env)
    told, said, *errors = files
    _is(0, os.open(told, os.O_RDONLY))
    _is(1, os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND))
    _is(2, os.open(errors[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND) if errors else os.dup(1))
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv = words
    main()


def _is(descriptor: int, opened: int) -> None:
    os.dup2(opened, descriptor)
    os.close(opened)
