"""Checks the invariants of read models: when asked, and now and then in the background of what serves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event
from time import monotonic, time

import structlog

from consumers.watched import watched
from infra.postgres.baton import PostgresBaton
from infra.postgres.checks import BOOK, Checks, Report
from infra.postgres.connection import Database
from infra.postgres.refold import refold
from infra.settings import Settings
from infra.telemetry import CHECK_SECONDS, CHECK_VIOLATIONS, CHECKED_AT
from projections import PROJECTIONS
from projections.projection import Projection

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 10.0
"""Well below the time after which a baton whose holder says nothing is lost."""

HANGS = "1h"
"""For so long it may say nothing: one statement over a large ledger takes its minutes."""

FIRST_AFTER_S = 60.0
TOLD = 20
"""Violations of an invariant that are logged."""


class BatonLost(Exception):
    """Another may be at it by now."""


class Patrol:
    """A thread that checks all projections every so many seconds. Of all processes of a ledger one has the baton."""

    def __init__(self, database: Database, every_s: float) -> None:
        self._every_s = every_s
        self._baton = PostgresBaton(database, "check", silent=HANGS)
        self._checks = Checks(database)
        self._stopped = Event()
        self._thread = watched("checks", self._run, self._stopped)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Does not wait for what is being looked at."""
        self._stopped.set()
        self._checks.cancel()
        self._thread.join()

    def _run(self) -> None:
        due = monotonic() + min(FIRST_AFTER_S, self._every_s)
        while not self._stopped.wait(_pause(due - monotonic())):
            try:
                if self._baton.take() and monotonic() >= due:
                    due = monotonic() + self._every_s
                    self._round()
            except BatonLost:
                due = monotonic()
                log.warning("check broken off", reason="the baton was lost")
            except Exception as error:
                if not self._stopped.is_set():
                    log.error("check failed", error=repr(error))
            if not self._baton.held():
                CHECK_VIOLATIONS.clear()  # who has it tells them
        self._baton.let_go()
        self._checks.close()

    def _round(self) -> None:
        """First the book, then what is told soon, then row by row."""
        looks = [(BOOK, self._look_at_book)]
        looks += [
            (projection.name, partial(look, projection))
            for look in (self._look, self._refold)
            for projection in PROJECTIONS
        ]
        reports = [self._report(name, look) for name, look in looks]
        if None not in reports:
            CHECK_SECONDS.set(sum(report.seconds for report in reports if report))
            CHECKED_AT.set(time())

    def _report(self, name: str, look: Callable[[], Report]) -> Report | None:
        """What cannot be looked at keeps nobody from looking at the others."""
        try:
            return look()
        except (BatonLost, InterruptedError):
            raise
        except Exception as error:
            if not self._stopped.is_set():
                log.error("check failed", projection=name, error=repr(error))
            self._go_on()
            return None

    def _look_at_book(self) -> Report:
        report = self._checks.book(TOLD, lambda _: self._go_on())
        _tell(report)
        self._rest(report.seconds)
        return report

    def _look(self, projection: Projection) -> Report:
        report = self._checks.run(projection, TOLD, lambda _: self._go_on())
        _tell(report)
        self._rest(report.seconds)
        return report

    def _refold(self, projection: Projection) -> Report:
        report = refold(self._checks, projection, TOLD, lambda _, took: self._rest(took))
        _tell(report)
        return report

    def _rest(self, seconds: float) -> None:
        """As long as it worked."""
        until = monotonic() + seconds
        self._go_on()
        while (left := until - monotonic()) > 0:
            self._stopped.wait(min(left, LOOK_EVERY_S))
            self._go_on()

    def _go_on(self) -> None:
        """Asks for the baton, and so keeps it. BatonLost."""
        if self._stopped.is_set():
            raise InterruptedError
        if not self._baton.held():
            raise BatonLost


def _pause(left: float) -> float:
    """Until it is due; who stands by then, or could not, looks again later."""
    return min(left, LOOK_EVERY_S) if left > 0 else LOOK_EVERY_S


def _tell(report: Report) -> None:
    if not report.checked:
        CHECK_VIOLATIONS.remove_by_labels({"projection": report.projection})
    for invariant, violated in report.violated.items():
        CHECK_VIOLATIONS.labels(report.projection, invariant).set(violated)
    for violation in report.violations:
        log.error("invariant broken", said=violation.sentence)


@contextmanager
def patrolling(settings: Settings, database: Database) -> Iterator[None]:
    """While it lasts, unless the settings say never."""
    if not settings.check_every_s:
        yield
        return
    patrol = Patrol(database, settings.check_every_s)
    patrol.start()
    try:
        yield
    finally:
        patrol.stop()
