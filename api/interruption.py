"""Ctrl-C, which a terminal sends to all the processes of its group at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

INTERRUPT = {signal.SIGINT}


@contextmanager
def uninterrupted() -> Iterator[None]:
    """What comes meanwhile comes at the end. A process started in here inherits that it waits, and never hears it."""
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    # The mask is what is inherited; it binds this thread alone, and another one may be told in its stead.
    alone = current_thread() is main_thread()
    heard = signal.signal(signal.SIGINT, note) if alone else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if alone:
            signal.signal(signal.SIGINT, heard)
    if came:
        raise KeyboardInterrupt
