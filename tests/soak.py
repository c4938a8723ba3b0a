"""``make soak``: what may go wrong, at random and for long; a third of the minutes each for faults of the stream, for
callers amid kills, and for hostile requests. From one seed to the next; one that fails is told."""

import os
import subprocess
import sys
from itertools import count
from time import monotonic

from tests.e2e import mayhem
from tests.kafka import simulation

FUZZ = "tests/e2e/test_fuzz_values.py", "tests/e2e/test_raw_http.py"
COUNT = 5_000
"""Requests of a kind, of one seed."""


def fuzz(seed: int, minutes: float) -> None:
    end = monotonic() + minutes * 60
    for number in count(seed):
        if monotonic() >= end:
            return
        sys.stdout.write(f"SEED={number}\n")
        sys.stdout.flush()
        told = {"GROSSBUCH_FUZZ_SEED": str(number), "GROSSBUCH_FUZZ_COUNT": str(COUNT)}
        subprocess.run([sys.executable, "-m", "pytest", "-q", *FUZZ], env={**os.environ, **told}, check=True)


if __name__ == "__main__":
    for soak in (simulation.soak, mayhem.soak, fuzz):
        soak(int(sys.argv[1]), float(sys.argv[2]) / 3)
