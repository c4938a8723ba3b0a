"""Python's garbage collector, told that this process keeps much and makes few cycles."""

import gc


def tune_collector() -> None:
    """Look for garbage cycles seldom: as usual a fifth of a command's time went there (bench/http.py)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
