"""A register's movements are in a table for each month, which is made when it is needed, moves with its generation, and
may be detached and attached again; nothing is lost by it, and no figure becomes a wrong one."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from structlog.testing import capture_logs

from domain.refusal import Refusal
from infra.postgres import months as months_module
from infra.postgres.checks import Checks
from infra.postgres.connection import Database, Pool
from infra.postgres.differences import differences
from infra.postgres.generations import Generation, Generations
from infra.postgres.migrate import migrate
from infra.postgres.months import Kept, Months
from infra.postgres.read_models import PostgresReadModels
from projections.stock import projection, stock
from tests.integration.trade import TRADE, received, states
from tests.integration.writing import query
from tests.properties.books import Books, projector
from tests.properties.histories import Step, placed

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename ~ '^stock_movement_[0-9]' ORDER BY 1"


@pytest.fixture
def books(database: Database, pool: Pool) -> Iterator[Books]:
    books = Books(database, pool)
    books.project(placed(TRADE))
    yield books
    books.close()


@pytest.fixture
def months(database: Database) -> Months:
    return Months(database)


def tables(database: Database, schema: str = "read") -> Sequence[str]:
    return [name for (name,) in query(database, TABLES, f"{database.schema}_{schema}")]


def on_hand(books: Books, **moment: object) -> Decimal:
    return sum((row["on_hand"] for row in books.items("/v1/stock/balances", **moment)), Decimal(0))


def refused(books: Books, path: str, **parameters: object) -> str:
    """Which month is missing."""
    with pytest.raises(Refusal) as refusal:
        books.answer(path, **parameters)
    assert (refusal.value.code, refusal.value.facts["register"]) == ("detached", "stock")
    return str(refusal.value.facts["month"])


class TestMaking:
    def test_a_movement_is_in_the_month_of_its_day(self, books: Books, database: Database, months: Months) -> None:
        assert states(months) == dict.fromkeys(["2026-01", "2026-02", "2026-03"], "attached")
        assert tables(database) == ["stock_movement_2026_01", "stock_movement_2026_02", "stock_movement_2026_03"]
        assert books.rows("SELECT position FROM stock_movement_2026_01 ORDER BY 1") == [(1,), (2,)]

    @pytest.mark.parametrize(("zone", "month"), [("America/New_York", "2025_12"), ("Pacific/Kiritimati", "2026_01")])
    def test_a_day_is_one_of_the_ledgers_time_zone(self, dsn: str, zone: str, month: str) -> None:
        database = Database(dsn, f"zone_{month}")
        migrate(database, time_zone=zone)
        with Pool(database) as pool:
            books = Books(database, pool)
            books.project(placed([received(1, "2026-01-01T02:00:00+00:00")]))
            books.close()
        assert tables(database) == [f"stock_movement_{month}"]

    def test_a_month_whose_first_hour_comes_twice_begins_with_the_first(self, dsn: str) -> None:
        """In Havana the clock went from one back to midnight on 1 November 2026."""
        database = Database(dsn, "zone_havana")
        migrate(database, time_zone="America/Havana")
        with Pool(database) as pool:
            books = Books(database, pool)
            books.project(placed([received(1, f"2026-11-01T{hour:02}:30:00+00:00") for hour in (3, 4, 5)]))
            assert books.rows("SELECT position FROM stock_movement_2026_11 ORDER BY 1") == [(2,), (3,)]
            rows = books.items("/v1/stock/turnovers", **{"from": "2026-11-01", "to": "2026-11-15"})
            assert [(row["opening"], row["received"]) for row in rows] == [(1, 2)]
            books.close()

    def test_months_that_were_made_by_other_rules_of_a_time_zone_still_meet(
        self, books: Books, database: Database
    ) -> None:
        """As if midnight of 1 May had then been an hour earlier, and of 1 July an hour later."""
        query(
            database,
            f"SET search_path = {database.schema}_read; SET ROLE {database.service};"
            "CREATE TABLE stock_movement_2026_04 PARTITION OF stock_movement"
            " FOR VALUES FROM ('2026-04-01 00:00+00') TO ('2026-04-30 23:00+00');"
            "CREATE TABLE stock_movement_2026_07 PARTITION OF stock_movement"
            " FOR VALUES FROM ('2026-07-01 01:00+00') TO ('2026-08-01 00:00+00'); SELECT 1",
        )
        edges = ["2026-04-30T22:30", "2026-04-30T23:30", "2026-05-01T00:30", "2026-07-01T00:30", "2026-07-01T01:30"]
        books.project(placed([*TRADE, *(received(1, f"{edge}:00+00:00") for edge in edges)]))
        found = "SELECT right(tableoid::regclass::text, 2) FROM stock_movement WHERE position > 5 ORDER BY position"
        assert books.rows(found) == [("04",), ("05",), ("05",), ("06",), ("07",)]

    def test_many_who_need_it_at_once_make_one(self, database: Database) -> None:
        several = [PostgresReadModels(database) for _ in range(4)]
        several[0].prepare([projection])
        together = Barrier(len(several))
        errors: list[BaseException] = []

        def make(read_models: PostgresReadModels) -> None:
            try:
                for year in range(2000, 2010):
                    together.wait()
                    with read_models.transaction() as cursor:
                        months_module.make(cursor, stock, [f"{year}-03-01 00:00:00+00", f"{year}-02-01 00:00:00+00"])
            except BaseException as error:
                errors.append(error)
                together.abort()

        threads = [Thread(target=make, args=(each,)) for each in several]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for each in several:
            each.close()
        assert errors == []
        assert len(tables(database)) == 20

    def test_nobody_who_reads_waits_while_one_is_made_nor_keeps_it_from_being_made(
        self, books: Books, database: Database
    ) -> None:
        reader = database.connect(autocommit=False)
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM stock_movement")
            books.project(placed([*TRADE, received(1, "2026-06-01T00:00:00+00:00")]))
            cursor.execute("SELECT count(*) FROM stock_movement")
            assert cursor.fetchall() == [(6,)]
        reader.close()

    def test_a_far_future_needs_no_months_in_between(self, books: Books, database: Database) -> None:
        books.project(placed([*TRADE, received(1, "2950-06-01T00:00:00+00:00")]))
        assert tables(database)[-1] == "stock_movement_2950_06"
        assert on_hand(books) == 15
        assert on_hand(books, as_of="2950-06-01") == 16


class TestGenerations:
    def filled(self, database: Database, steps: Sequence[Step] = TRADE) -> Generation:
        new = Generations(database).begin(projection, 1)
        filling = PostgresReadModels(database, [new])
        projector(projection, placed(steps), filling).catch_up(len(steps))
        filling.close()
        return new

    def test_months_move_with_their_generation_and_are_dropped_with_it(self, books: Books, database: Database) -> None:
        before = tables(database)
        Generations(database).swap_soon(self.filled(database))
        assert tables(database) == tables(database, "stock_1") == before
        Generations(database).drop("stock", 1)
        assert tables(database, "stock_1") == []
        assert on_hand(books) == 15

    @pytest.mark.usefixtures("books")
    def test_who_made_a_month_for_one_that_became_current_meanwhile_makes_it_where_that_is(
        self, database: Database
    ) -> None:
        new = self.filled(database)
        late = PostgresReadModels(database, [new])
        assert late.furthest(projection) == len(TRADE)
        Generations(database).swap_soon(new)
        with late.transaction() as cursor:
            months_module.make(cursor, stock, ["2026-06-01 00:00:00+00"])
        late.close()
        assert tables(database)[-1] == "stock_movement_2026_06"
        assert tables(database, "stock_2") == []
        assert len(tables(database, "stock_1")) == 3

    def test_a_detached_month_stays_with_the_old_one_and_the_new_one_is_whole(
        self, books: Books, database: Database, pool: Pool, months: Months
    ) -> None:
        months.detach("stock", stock, JANUARY)
        new = self.filled(database)
        assert differences(pool, Generations(database), new, 10).rows == []
        Generations(database).swap_soon(new)
        assert tables(database, "stock_1")[0] == "stock_movement_2026_01"
        assert set(states(months).values()) == {"attached"}
        assert on_hand(books, as_of="2026-01-15") == 10

    def test_what_differs_in_the_other_months_is_told(
        self, books: Books, database: Database, pool: Pool, months: Months
    ) -> None:
        months.detach("stock", stock, JANUARY)
        books.rows("DELETE FROM stock_movement WHERE position IN (2, 4) RETURNING 1")
        found = differences(pool, Generations(database), self.filled(database), 10).rows
        assert [(each.position, each.only_in) for each in found] == [(4, "filled")]


class TestDetaching:
    def test_ends_of_months_stay_exact_and_days_of_the_month_are_refused(self, books: Books, months: Months) -> None:
        months.detach("stock", stock, JANUARY)
        assert states(months)["2026-01"] == "detached"
        assert on_hand(books) == 15
        assert [on_hand(books, as_of=day) for day in ("2025-12-31", "2026-01-31", "2026-02-01")] == [0, 6, 11]
        for path, parameters in [
            ("/v1/stock/balances", {"as_of": "2026-01-30"}),
            ("/v1/stock/balances", {"known_at": 3}),
            ("/v1/stock/movements", {}),
            ("/v1/stock/movements", {"from": "2026-01-31"}),
            ("/v1/stock/turnovers", {"from": "2026-01-02", "to": "2026-02-28"}),
            ("/v1/stock/turnovers", {"from": "2025-12-01", "to": "2026-01-30"}),
            ("/v1/stock/restatements", {}),
        ]:
            assert refused(books, path, **parameters) == "2026-01"
        assert len(books.items("/v1/stock/movements", **{"from": "2026-02-01"})) == 3
        whole = books.items("/v1/stock/turnovers", **{"from": "2026-01-01", "to": "2026-02-28"})
        assert [(row["opening"], row["received"], row["issued"]) for row in whole] == [(0, 15, 7)]

    def test_nobody_reads_a_sum_without_it_whatever_the_moment_at_which_it_goes(
        self, books: Books, months: Months
    ) -> None:
        """Constant questions, while it is detached and attached: the figure, or a refusal."""
        seen: set[object] = set()
        done = False

        def ask() -> None:
            while not done:
                try:
                    seen.add(on_hand(books, as_of="2026-01-30"))
                except Refusal as refusal:
                    seen.add(refusal.code)

        threads = [Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(30):
            months.detach("stock", stock, JANUARY)
            months.attach(stock, JANUARY)
        done = True
        for thread in threads:
            thread.join()
        assert seen == {Decimal(10), "detached"}

    def test_attached_again_it_is_as_it_was(self, books: Books, months: Months) -> None:
        before = books.rows("SELECT * FROM stock_movement ORDER BY position")
        months.detach("stock", stock, JANUARY)
        assert len(books.rows("SELECT * FROM stock_movement")) == 3
        months.attach(stock, JANUARY)
        assert books.rows("SELECT * FROM stock_movement ORDER BY position") == before
        assert on_hand(books, as_of="2026-01-30") == 10
        assert set(states(months).values()) == {"attached"}

    def test_twice_is_as_once(self, books: Books, months: Months) -> None:
        for _ in range(2):
            months.detach("stock", stock, FEBRUARY)
        for _ in range(2):
            months.attach(stock, FEBRUARY)
        assert on_hand(books, as_of="2026-02-20") == 8

    def test_a_movement_that_comes_for_it_is_not_lost_and_its_days_are_refused_until_it_is_held_to_its_turnovers(
        self, books: Books, months: Months
    ) -> None:
        months.detach("stock", stock, JANUARY)
        with capture_logs() as logs:
            books.project(placed([*TRADE, received(2, "2026-01-20T12:00:00+00:00")]))
        assert {
            "event": "month attached again",
            "register": "stock",
            "month": "2026-01",
            "log_level": "warning",
        } in logs
        assert states(months)["2026-01"] == "unverified"
        assert on_hand(books) == 17
        assert refused(books, "/v1/stock/balances", as_of="2026-01-30") == "2026-01"
        months.attach(stock, JANUARY)
        assert on_hand(books, as_of="2026-01-30") == 12

    def test_one_that_was_dropped_is_refused_until_its_rows_are_back(
        self, books: Books, database: Database, months: Months
    ) -> None:
        months.detach("stock", stock, JANUARY)
        read = f"{database.schema}_read"
        query(database, f"CREATE TABLE {read}.kept AS SELECT * FROM {read}.stock_movement_2026_01; SELECT 1")
        query(database, f"DROP TABLE {read}.stock_movement_2026_01; SELECT 1")
        assert months.list([stock])[0] == Kept("stock", "2026-01", "gone", 0)
        books.project(placed([*TRADE, received(2, "2026-01-20T12:00:00+00:00")]))
        with pytest.raises(Refusal) as incomplete:
            months.attach(stock, JANUARY)
        assert (incomplete.value.code, incomplete.value.facts["cells"]) == ("incomplete", 1)
        assert on_hand(books) == 17
        assert refused(books, "/v1/stock/balances", as_of="2026-01-30") == "2026-01"
        columns = "position, line, effective_at, recorded_at, type, " + ", ".join(stock.columns)
        query(database, f"INSERT INTO {read}.stock_movement ({columns}) SELECT {columns} FROM {read}.kept RETURNING 1")
        months.attach(stock, JANUARY)
        assert on_hand(books, as_of="2026-01-30") == 12

    def test_rows_that_are_not_what_its_turnovers_say_are_not_taken_for_it(
        self, books: Books, database: Database, months: Months
    ) -> None:
        months.detach("stock", stock, JANUARY)
        query(
            database,
            f"UPDATE {database.schema}_read.stock_movement_2026_01 SET on_hand = 9 WHERE position = 1 RETURNING 1",
        )
        with pytest.raises(Refusal, match="does not hold what its turnovers say, in 1 cells"):
            months.attach(stock, JANUARY)
        assert refused(books, "/v1/stock/balances", as_of="2026-01-30") == "2026-01"

    @pytest.mark.parametrize(
        ("month", "code"), [(date(2024, 1, 1), "not_found"), (date(2950, 6, 1), "not_over")], ids=["unknown", "future"]
    )
    def test_only_a_month_that_there_is_and_that_is_over_is_detached(
        self, books: Books, months: Months, month: date, code: str
    ) -> None:
        books.project(placed([*TRADE, received(1, "2950-06-01T00:00:00+00:00")]))
        with pytest.raises(Refusal) as refusal:
            months.detach("stock", stock, month)
        assert refusal.value.code == code
        assert set(states(months).values()) == {"attached"}

    def test_the_invariants_hold_without_it_and_a_broken_balance_is_found(
        self, books: Books, database: Database, months: Months
    ) -> None:
        months.detach("stock", stock, JANUARY)
        checks = Checks(database)
        assert self.broken(checks) == set()
        books.rows("UPDATE stock_balance SET on_hand = on_hand + 1 RETURNING 1")
        assert self.broken(checks) == {"balances", "lots"}
        checks.close()

    def broken(self, checks: Checks) -> set[str]:
        """But that they are of events, which are not in the book."""
        return {each.invariant for each in checks.run(projection, 10).violations} - {"events"}
