"""Python's garbage collector, told that this process keeps much and makes few cycles."""

import ctypes
import gc
import resource
from contextlib import suppress
from pathlib import Path

STATM = Path("/proc/self/statm")


def collect_seldom() -> None:
    """Look for garbage cycles seldom: as usual a fifth of the time went there, of a start, of a command, of what the
    relay carries and of what a consumer projects (bench/http.py, bench/kafka)."""
    gc.set_threshold(50_000, 20, 50)


def tune_collector() -> None:
    """What there is stays: it is looked at no more."""
    collect_seldom()
    gc.collect()
    gc.freeze()


class Growth:
    """Gives back what was kept for a while: a cycle or two may hold bodies of megabytes, and are too few for the
    collector to look by itself; and malloc keeps for later what is freed in pieces."""

    def __init__(self) -> None:
        self._kept = _resident()

    def look(self, *, quiet: bool) -> None:
        """In full when memory has grown by half; or threefold while there is much to do, that explains a part of it."""
        now = _resident()
        if now > self._kept * (1.5 if quiet else 3):
            gc.collect()
            _trim()
            now = self._kept = _resident()
        self._kept = min(self._kept, now)


def _trim() -> None:
    """Where malloc is glibc's."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _resident() -> int:
    """Bytes; nothing where there is no /proc."""
    try:
        return int(STATM.read_bytes().split()[1]) * resource.getpagesize()
    except OSError:
        return 0
