"""Locks on files. A lock dies with the last process that holds its descriptor, however it died: no pid is trusted."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """An flock on a file of its own; ``fd`` can be handed down to a child, which then holds it too."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def take(self, *, shared: bool = False, wait: bool = True) -> bool:
        try:
            fcntl.flock(self.fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        os.close(self.fd)


@contextmanager
def exclusive(path: Path) -> Iterator[FileLock]:
    lock = FileLock(path)
    try:
        lock.take()
        yield lock
    finally:
        lock.close()


def is_held(path: Path) -> bool:
    """Whether anybody alive holds the lock."""
    lock = FileLock(path)
    try:
        return not lock.take(wait=False)
    finally:
        lock.close()
