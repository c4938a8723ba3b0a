"""Which processes spent the processor's time."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple, Self

from bench.kafka.stage import Stage

TICK = os.sysconf("SC_CLK_TCK")


class Spent(NamedTuple):
    """Seconds of CPU."""

    ours: float
    server: float
    broker: float

    def __sub__(self, earlier: Self) -> "Spent":
        return Spent(*(a - b for a, b in zip(self, earlier, strict=True)))

    def per(self, share: float) -> "Spent":
        return Spent(*(each * share for each in self))

    def __str__(self) -> str:
        return ", ".join(f"{each:.1f}" for each in self)

    @classmethod
    def median(cls, all: Sequence[Self]) -> "Spent":
        return Spent(*(median(column) for column in zip(*all, strict=True)))


def spent(on: Stage, pids: Iterable[int]) -> Spent:
    """So far, by these processes of ours, by the server with all its processes, and by the broker."""
    children = Path(f"/proc/{on.server_pid}/task/{on.server_pid}/children").read_text().split()
    return Spent(
        sum(map(_seconds, pids)),
        sum(map(_seconds, [on.server_pid, *map(int, children)])),
        _seconds(on.broker_pid),
    )


def _seconds(pid: int) -> float:
    """Its own, and that of children that it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # it has ended meanwhile, and its parent has it
        return 0
    return sum(map(int, fields[11:15])) / TICK
