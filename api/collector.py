"""Python's garbage collector, told that this process keeps much and makes few cycles."""

import gc


def tune_collector() -> None:
    """Look for garbage cycles seldom: as usual a fifth of the time went there, of a command, of what the relay carries
    and of what a consumer projects (bench/http.py, bench/kafka)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
