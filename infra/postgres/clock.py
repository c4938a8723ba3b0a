"""What time it is, the database says: one clock for all processes of a ledger, however wrong a machine's own may be."""

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import scalar
from infra.telemetry import CLOCK_SKEW

log = structlog.get_logger(__name__)

FAR_S = 5.0
"""Seconds by which a machine's clock may differ before it is told."""

ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while a machine sleeps, where there is such a clock, and is never set."""


KEPT_S = 60.0
"""Seconds for which a time that was told quickly is preferred to one that took longer."""


class DatabaseClock:
    """Told the time now and then, it goes on by itself in between."""

    def __init__(self) -> None:
        self._heard: Heard | None = None
        self._far = False

    def now(self) -> datetime:
        """Within half of what it took to be told."""
        if not (heard := self._heard):
            return datetime.now(UTC)
        return heard.moment + timedelta(seconds=_elapsed() - (heard.asked + heard.told) / 2)

    def latest(self) -> datetime:
        """It is not later than this."""
        if not (heard := self._heard):
            return datetime.now(UTC)
        return heard.moment + timedelta(seconds=_elapsed() - heard.asked)

    @property
    def is_due(self) -> bool:
        """Whether it should be told again."""
        return self._heard is None or _elapsed() - self._heard.told > KEPT_S

    def read(self, cursor: Cursor) -> None:
        asked = self.ask()
        cursor.execute("SELECT clock_timestamp()")
        self.hear(asked, scalar(cursor))

    def ask(self) -> float:
        """Somebody asks what time it is; gives what ``hear`` is to be told with the answer."""
        return _elapsed()

    def hear(self, asked: float, moment: datetime) -> None:
        """What time it was after it was asked for and before now."""
        heard, before = Heard(moment, asked, _elapsed()), self._heard
        if before is None or self.is_due or heard.took <= before.took or heard.contradicts(before):
            self._heard = heard
        skew = (datetime.now(UTC) - self.now()).total_seconds()
        CLOCK_SKEW.set(skew)
        far = abs(skew) > FAR_S
        if far != self._far:
            self._far = far
            if far:
                log.error("this machine's clock differs from the database's, which counts", seconds=round(skew, 3))
            else:
                log.info("this machine's clock agrees with the database's again")


class Heard(NamedTuple):
    """A time of the database's, and when by our own clock it was asked for and told."""

    moment: datetime
    asked: float
    told: float

    @property
    def took(self) -> float:
        return self.told - self.asked

    @property
    def earliest(self) -> float:
        """Between this and ``latest`` lies what the database's clock showed when ours showed nothing yet."""
        return self.moment.timestamp() - self.told

    @property
    def latest(self) -> float:
        return self.moment.timestamp() - self.asked

    def contradicts(self, before: "Heard") -> bool:
        """The database's clock was set meanwhile, or it is another database's."""
        return self.earliest > before.latest or self.latest < before.earliest


def _elapsed() -> float:
    return time.clock_gettime(ELAPSED)
