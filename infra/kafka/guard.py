"""Kills a process when we die, however we die. A pipe tells: the system closes our end."""

import subprocess
from contextlib import suppress

SCRIPT = 'read -r _ || kill -KILL "$0"'


class Guard:
    """Of portable shell: PR_SET_PDEATHSIG is told of the end of a thread, and would kill the child of one too early."""

    def __init__(self, pid: int) -> None:
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", SCRIPT, str(pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Before the process is waited for, or its id may be another's."""
        with suppress(BrokenPipeError):
            self._watcher.communicate(b"\n")
