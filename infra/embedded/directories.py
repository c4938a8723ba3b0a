"""Making directories: open to who must pass, closed to who must not look in, and still there after a power cut."""

import os
from pathlib import Path

from infra.embedded.account import Account


def sync(directory: Path) -> None:
    """Until this, a new name in the directory may be lost with the power, and with it all that is below the name."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def passable(path: Path, account: Account) -> None:
    """Make the directory, so that the account may pass whatever the umask; what is there already is left alone."""
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for directory in missing:
        if account.is_other:
            directory.chmod(0o755)
        sync(directory.parent)


def private(path: Path, account: Account) -> None:
    """The account's alone. By descriptor: a link that another user put there must not lead root elsewhere."""
    path.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchmod(fd, 0o700)
        account.own(fd)
    finally:
        os.close(fd)


def open_log(path: Path, account: Account) -> int:
    """For appending. Never through a link: the server's user owns the directory, and root opens the file."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    account.own(fd)
    return fd
