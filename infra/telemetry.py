"""Structured logs to standard error, and the figures that /metrics shows."""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

COMMANDS = Counter("grossbuch_commands", "Commands by type and outcome", ["type", "outcome"])
APPENDS = Histogram(
    "grossbuch_append_seconds",
    "From the submission of an append to its commit",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30),
)
SET_BACK = Counter("grossbuch_book_set_back", "Times that acknowledged events were gone from the book")
CLOCK_SKEW = Gauge("grossbuch_clock_skew_seconds", "By how much this machine's clock is ahead of the database's")
REFUSED_AT_THE_DOOR = Counter(
    "grossbuch_refused_at_the_door", "Connections and requests refused before they were whole", ["code"]
)
CHECK_VIOLATIONS = Gauge(
    "grossbuch_check_violations", "Cells that broke an invariant when it was last checked", ["projection", "invariant"]
)
CHECK_SECONDS = Gauge("grossbuch_check_seconds", "How long the last round of checks took")
CHECKED_AT = Gauge("grossbuch_checked_at", "When the last round of checks ended, in Unix time; 0: none here yet")


def configure_logs(level: str = "INFO", *, json: bool = False) -> None:
    renderer = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
