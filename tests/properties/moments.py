"""Where a day ends by Python's rules of time zones, for models that do not ask the database."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def end_of(moment: datetime | date, time_zone: ZoneInfo) -> datetime:
    """The last microsecond that ``as_of`` includes: a date runs to the end of its day in the ledger's time zone."""
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment + timedelta(days=1), time(), time_zone).astimezone(UTC) - timedelta(microseconds=1)
