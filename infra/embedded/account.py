"""Who the server runs as: PostgreSQL refuses root, so root hands it to another user."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.embedded.errors import EmbeddedError


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    def popen(self) -> dict[str, Any]:
        """Arguments that make a child run as this user, with no group of ours and in a directory it can enter."""
        if not self.is_other:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, fd: int) -> None:
        if self.is_other:
            os.fchown(fd, self.uid, self.gid)

    def blocked_at(self, path: Path) -> Path | None:
        """The first on the way to ``path``, itself included, that this user may not enter or run; what is not there yet
        blocks nobody."""
        for step in reversed([path, *path.parents]):
            if not self._may_pass(step):
                return step
        return None

    def _may_pass(self, step: Path) -> bool:
        if not step.exists():
            return True
        if not self.is_other:
            return os.access(step, os.X_OK)  # the system knows our further groups and access lists
        found = step.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & 0o100)
        return bool(found.st_mode & (0o010 if found.st_gid == self.gid else 0o001))


def account_for(data: Path) -> Account:
    """The owner of existing data; for root otherwise ``postgres``, or ``nobody``; for others themselves."""
    uid = os.geteuid()
    if uid != 0:
        return _named(uid)
    if data.exists():
        owner = _named(data.stat().st_uid)
        if owner.uid == 0:
            raise EmbeddedError(f"{data} belongs to root, as whom PostgreSQL does not run: chown it to another user.")
        return owner
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise EmbeddedError("As root the server needs a user postgres or nobody to run as; there is neither.")


def _named(uid: int) -> Account:
    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedError(
            f"The user id {uid} has no entry in the password file; initdb does not run without."
        ) from None
    return Account(found.pw_uid, found.pw_gid)
