"""The months of a register: its movements of each are in a table of their own, which is made when the first comes.

A month that is over may be detached: its table then stands alone, to be put elsewhere, and turnovers keep its sums.
What would need its movements is refused until it is attached again and holds what its turnovers say. A movement that
comes for it meanwhile has it attached, for nothing may be lost; what needs it goes on being refused until it is held to
its turnovers (tests/integration/test_months.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import structlog
from psycopg2.extensions import cursor as Cursor

from domain.refusal import Refusal
from infra.postgres.connection import Database, read_sql, scalar
from infra.postgres.giving_way import GIVE_WAY, lock, sooner_or_later
from infra.postgres.migrate import read_ledger
from infra.postgres.shape_sql import lacking_statement, log_table
from projections.shapes import Register

log = structlog.get_logger(__name__)

SQL = Path(__file__).with_name("sql") / "months"
KNOWN, WANTED, MAKE, ATTACH = (read_sql(SQL / f"{name}.sql") for name in ("known", "wanted", "make", "attach"))
SCHEMA = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = %s::regclass"
IN_MONTHS = "SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass"
THERE = "SELECT to_regclass(%s), coalesce(pg_total_relation_size(to_regclass(%s)), 0)"
OVER = "SELECT %s <= now()"

STATES = {(True, False): "attached", (False, True): "detached", (True, True): "unverified"}
"""By whether it is attached, and whether what needs it is refused. Besides, a detached one whose table was dropped is
``gone``."""


@dataclass(frozen=True, slots=True)
class Month:
    """``is_refused``: what needs its movements is, be it attached or not."""

    month: date
    starts: datetime
    ends: datetime
    is_attached: bool
    is_refused: bool

    @property
    def name(self) -> str:
        return f"{self.month:%Y-%m}"

    def table(self, register: Register) -> str:
        return f"{log_table(register)}_{self.month:%Y_%m}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A month as the list tells it."""

    register: str
    month: str
    state: str
    bytes: int


def make(cursor: Cursor, register: Register, moments: Iterable[str]) -> None:
    """Those into which the moments fall and that are not attached, each from its table if it has one. Others make them
    too: whoever comes second finds them made. Nobody waits who reads or writes."""
    cursor.execute(f"LOCK TABLE ONLY {log_table(register)} IN SHARE UPDATE EXCLUSIVE MODE")
    cursor.execute(IN_MONTHS, (log_table(register),))
    if not scalar(cursor):  # of an earlier layout, in one table
        return
    given = {"moments": list(moments), "time_zone": read_ledger(cursor).time_zone}
    cursor.execute(WANTED.replace("{known}", _known(register)).replace("{name}", register.name), given)
    for month in [Month(*row) for row in cursor.fetchall()]:
        _attach(cursor, register, month)
        if month.is_refused:
            log.warning("month attached again", register=register.name, month=month.name)


def _known(register: Register) -> str:
    return KNOWN.replace("{log}", log_table(register)).replace("{name}", register.name)


def _attach(cursor: Cursor, register: Register, month: Month) -> None:
    """Under a lock by which the register stays in its schema."""
    cursor.execute(SCHEMA, (log_table(register),))
    names = {"schema": scalar(cursor), "table": month.table(register), "log": log_table(register)}
    cursor.execute(MAKE.format(**names))
    cursor.execute(ATTACH.format(**names), {"starts": month.starts, "ends": month.ends})


class Months:
    """Of the generations that are read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, registers: Iterable[Register]) -> Sequence[Kept]:
        with self._transaction() as cursor:
            return [self._kept(cursor, each, month) for each in registers for month in _months(cursor, each)]

    def detach(self, projection: str, register: Register, month: date) -> None:
        """Gives way to whoever reads as often as it must. Refusal ``not_found``, ``not_over``."""
        sooner_or_later(lambda: self._detach(projection, register, month), f"{register.name} {month:%Y-%m}")

    def attach(self, register: Register, month: date) -> None:
        """Refusal ``not_found``; ``incomplete`` if it does not hold what its turnovers say: then it is attached, and
        what needs its movements goes on being refused."""
        with self._transaction() as cursor:
            cursor.execute(f"LOCK TABLE ONLY {log_table(register)} IN SHARE UPDATE EXCLUSIVE MODE")
            found = _month(cursor, register, month)
            if not found.is_attached:
                _attach(cursor, register, found)
        if found.is_refused:
            sooner_or_later(lambda: self._take_back(register, found), f"{register.name} {found.name}")

    def _detach(self, projection: str, register: Register, month: date) -> None:
        with self._transaction(projection) as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{GIVE_WAY}'")
            cursor.execute(f"LOCK TABLE ONLY {log_table(register)}")
            found = _month(cursor, register, month)
            cursor.execute(OVER, (found.ends,))
            if not scalar(cursor):
                raise Refusal("not_over", f"The month {found.name} is not over.", month=found.name)
            if found.is_attached:
                table = f"{self._database.read_schema}.{found.table(register)}"
                cursor.execute(f"ALTER TABLE {log_table(register)} DETACH PARTITION {table}")
                cursor.execute(
                    f"INSERT INTO {register.name}_detached VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                    (found.month, found.starts, found.ends),
                )

    def _take_back(self, register: Register, month: Month) -> None:
        """That it is refused. Nobody may be reading: who has planned a question before the month was attached would not
        look for it there."""
        with self._transaction() as cursor:
            given = {"month": month.month, "starts": month.starts, "ends": month.ends}
            cursor.execute(lacking_statement(register), given)
            if lacking := scalar(cursor):
                message = f"The month {month.name} does not hold what its turnovers say, in {lacking} cells."
                raise Refusal("incomplete", message, register=register.name, month=month.name, cells=lacking)
            cursor.execute(f"SET LOCAL lock_timeout = '{GIVE_WAY}'")
            cursor.execute(f"LOCK TABLE ONLY {log_table(register)}")
            cursor.execute(f"DELETE FROM {register.name}_detached WHERE month = %s", (month.month,))

    def _kept(self, cursor: Cursor, register: Register, month: Month) -> Kept:
        table = f"{self._database.read_schema}.{month.table(register)}"
        cursor.execute(THERE, (table, table))
        there, size = cursor.fetchall()[0]
        state = STATES[month.is_attached, month.is_refused] if there else "gone"
        return Kept(register.name, month.name, state, size)

    @contextmanager
    def _transaction(self, projection: str | None = None) -> Iterator[Cursor]:
        """Whoever checks or swaps a projection has it to himself, and so has who detaches."""
        connection = self._database.connect(name="grossbuch months", autocommit=False)
        try:
            with connection, connection.cursor() as cursor:
                if projection:
                    lock(cursor, self._database, projection)
                yield cursor
        finally:
            connection.close()


def _months(cursor: Cursor, register: Register) -> list[Month]:
    cursor.execute(f"{_known(register)} ORDER BY month")
    return [Month(*row) for row in cursor.fetchall()]


def _month(cursor: Cursor, register: Register, month: date) -> Month:
    for each in _months(cursor, register):
        if each.month == month:
            return each
    said = f"{month:%Y-%m}"
    raise Refusal("not_found", f"The register {register.name} has no month {said}.", kind="month", id=said)
