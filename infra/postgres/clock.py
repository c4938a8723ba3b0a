"""What time it is, the database says: one clock for all processes of a ledger, however wrong a machine's own may be."""

import time
from datetime import UTC, datetime, timedelta

import structlog

from infra.telemetry import CLOCK_SKEW

log = structlog.get_logger(__name__)

FAR_S = 5.0
"""Seconds by which a machine's clock may differ before it is told."""

ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while a machine sleeps, where there is such a clock, and is never set."""


class DatabaseClock:
    """Told the time now and then, it goes on by itself in between."""

    def __init__(self) -> None:
        self._heard = datetime.now(UTC), time.clock_gettime(ELAPSED)
        self._far = False

    def now(self) -> datetime:
        moment, at = self._heard
        return moment + timedelta(seconds=time.clock_gettime(ELAPSED) - at)

    def hear(self, moment: datetime) -> None:
        """What time it is."""
        self._heard = moment, time.clock_gettime(ELAPSED)
        skew = (datetime.now(UTC) - moment).total_seconds()
        CLOCK_SKEW.set(skew)
        far = abs(skew) > FAR_S
        if far != self._far:
            self._far = far
            if far:
                log.error("this machine's clock differs from the database's, which counts", seconds=round(skew, 3))
            else:
                log.info("this machine's clock agrees with the database's again")
