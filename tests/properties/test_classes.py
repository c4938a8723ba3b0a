"""Classes of clients, by the words of semantics.md and against a plain computation."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consumers.ports import Delivered
from domain.event import Event
from domain.receivables import Bounced, Credited, Instalment, Issued, Received, Refunded
from projections.classes import Classes
from tests.properties.books import Books, delivered

PATH = "/v1/clients/classes"


def sold(client: str, amount: object, on: str, currency: str = "EUR") -> tuple[date, Event]:
    """An invoice; a credit note if it is negative."""
    day, worth = date.fromisoformat(on), Decimal(str(amount))
    whose = {"invoice": "I", "client": client, "counterparty": client, "currency": currency}
    parts = (Instalment(due_on=day, amount=abs(worth)),)
    if worth < 0:
        return day, Credited(**whose, credit_note="N", amount=-worth, parts=parts, reason="damaged")
    return day, Issued(**whose, amount=worth, issued_on=day, terms=parts)


def paid(client: str, amount: object, on: str, event: type[Event] = Received) -> tuple[date, Event]:
    whose = {"payment": "Z", "client": client, "counterparty": client, "currency": "EUR"}
    return date.fromisoformat(on), event(**whose, amount=Decimal(str(amount)))


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def placed(history: Sequence[tuple[date, Event]]) -> list[Delivered]:
    return [delivered(position, event, noon(on)) for position, (on, event) in enumerate(history, start=1)]


@pytest.fixture
def of(books: Books) -> Any:
    """The classes of clients with this history, by client."""

    def classes(*history: tuple[date, Event], **parameters: object) -> dict[str, dict[str, Any]]:
        books.project(placed(history))
        year = {"method": "abc", "measure": "sales", "from": "2026-01-01", "to": "2026-12-31"}
        return {row["client"]: row for row in books.items(PATH, **{**year, **parameters})}

    return classes


def column(rows: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    return {client: row[name] for client, row in rows.items()}


class TestAbc:
    def test_a_class_is_decided_by_the_cumulative_share_before_the_client(self, of: Any) -> None:
        rows = of(
            *(sold(client, amount, "2026-03-01") for client, amount in (("a", 79), ("b", 15), ("c", 5), ("d", 1)))
        )
        assert column(rows, "share_before") == {
            "a": Decimal("0"),
            "b": Decimal("0.79"),
            "c": Decimal("0.94"),
            "d": Decimal("0.99"),
        }
        assert column(rows, "class") == {"a": "A", "b": "A", "c": "B", "d": "C"}

    def test_below_the_bound_is_not_on_it(self, of: Any) -> None:
        rows = of(*(sold(client, amount, "2026-03-01") for client, amount in (("a", 80), ("b", 15), ("c", 5))))
        assert column(rows, "class") == {"a": "A", "b": "B", "c": "C"}

    def test_the_only_client_is_a(self, of: Any) -> None:
        assert column(of(sold("a", 1, "2026-03-01")), "class") == {"a": "A"}

    def test_bounds_are_configurable(self, of: Any) -> None:
        history = [sold(client, amount, "2026-03-01") for client, amount in (("a", 50), ("b", 30), ("c", 20))]
        assert column(of(*history, bounds="50,80"), "class") == {"a": "A", "b": "B", "c": "C"}

    def test_ties_go_by_client(self, of: Any) -> None:
        rows = of(sold("b", 10, "2026-03-01"), sold("a", 10, "2026-03-01"))
        assert list(rows) == ["a", "b"]

    def test_clients_without_the_measure_are_left_out_and_what_is_not_positive_is_c(self, of: Any) -> None:
        rows = of(
            sold("a", 10, "2026-03-01"),
            sold("zero", 10, "2026-03-01"),
            sold("zero", -10, "2026-03-02"),
            sold("minus", -4, "2026-03-01"),
            sold("last year", 9, "2025-12-31"),
            sold("next year", 9, "2027-01-01"),
            sold("in dollars", 9, "2026-03-01", "USD"),
        )
        assert column(rows, "class") == {"a": "A", "zero": "C", "minus": "C"}
        assert column(rows, "share") == {"a": Decimal(1), "zero": Decimal(0), "minus": Decimal("-0.4")}

    def test_as_of_a_time_what_came_later_that_day_does_not_count(self, of: Any) -> None:
        history = [sold("a", 10, "2026-03-01"), sold("b", 5, "2026-03-02")]
        assert list(of(*history, as_of="2026-03-02T11:59:59Z")) == ["a"]
        assert list(of(*history, as_of="2026-03-02T12:00:00Z")) == ["a", "b"]

    def test_payments_are_a_measure_less_what_went_back(self, of: Any) -> None:
        rows = of(
            paid("a", 10, "2026-03-01"),
            paid("a", 3, "2026-03-02", Refunded),
            paid("a", 2, "2026-04-02", Bounced),
            sold("b", 100, "2026-03-01"),
            measure="payments",
        )
        assert column(rows, "measure") == {"a": Decimal(5)}


class TestXyz:
    def test_months_without_sales_count_as_nothing(self, of: Any) -> None:
        rows = of(sold("a", 12, "2026-03-01"), method="xyz", **{"from": "2026-03-01", "to": "2026-04-30"})
        assert (rows["a"]["variation"], rows["a"]["class"]) == (Decimal(1), "Z")

    def test_the_coefficient_of_variation_is_of_the_population(self, of: Any) -> None:
        """Months 10, 20, 30: deviation √(200/3), mean 20."""
        history = [sold("a", 10 * month, f"2026-0{month}-15") for month in (1, 2, 3)]
        rows = of(*history, method="xyz", to="2026-03-31")
        assert rows["a"]["variation"] == Decimal("0.4082")

    @pytest.mark.parametrize(
        ("first", "second", "expected"), [(90, 110, "X"), (89, 110, "Y"), (75, 125, "Y"), (74, 125, "Z")]
    )
    def test_up_to_the_bound_is_on_it(self, of: Any, first: int, second: int, expected: str) -> None:
        history = [sold("a", first, "2026-01-15"), sold("a", second, "2026-02-15")]
        assert of(*history, method="xyz", to="2026-02-28")["a"]["class"] == expected

    def test_of_a_period_that_goes_on_there_are_the_months_so_far(self, of: Any) -> None:
        rows = of(sold("a", 10, "2026-01-15"), sold("a", 10, "2026-02-15"), method="xyz", as_of="2026-02-28")
        assert (rows["a"]["variation"], rows["a"]["class"]) == (Decimal(0), "X")

    def test_a_mean_of_nothing_gives_null_and_z(self, of: Any) -> None:
        history = [sold("a", 10, "2026-01-15"), sold("a", -10, "2026-02-15")]
        [row] = of(*history, method="xyz", to="2026-02-28").values()
        assert (row["variation"], row["class"]) == (None, "Z")


class TestBcg:
    QUARTER = {"method": "bcg", "from": "2026-04-01", "to": "2026-06-30"}

    def test_growth_is_against_the_period_before_and_share_relative_to_the_largest(self, of: Any) -> None:
        grown, same = "2026-06-30", "2026-01-01"
        rows = of(
            *(
                sold(client, before, same)
                for client, before in (("star", 80), ("cow", 100), ("quest", 10), ("dog", 10))
            ),
            *(sold(client, now, grown) for client, now in (("star", 100), ("cow", 60), ("quest", 20), ("dog", 11))),
            **self.QUARTER,
        )
        assert column(rows, "class") == {"star": "star", "cow": "cash_cow", "quest": "question_mark", "dog": "dog"}
        assert column(rows, "share") == {
            "star": Decimal(1),
            "cow": Decimal("0.6"),
            "quest": Decimal("0.2"),
            "dog": Decimal("0.11"),
        }
        assert column(rows, "growth") == {
            "star": Decimal("0.25"),
            "cow": Decimal("-0.4"),
            "quest": Decimal(1),
            "dog": Decimal("0.1"),
        }

    def test_what_there_is_of_a_period_is_compared_with_as_much_before(self, of: Any) -> None:
        history = [sold("a", 5, "2026-02-28"), sold("a", 10, "2026-03-01"), sold("a", 12, "2026-04-10")]
        assert of(*history, **self.QUARTER, as_of="2026-04-30")["a"]["before"] == 10
        assert of(*history, **self.QUARTER, as_of="2026-04-10T18:00:00Z")["a"]["before"] == 0

    def test_on_the_bound_of_share_is_large_and_on_that_of_growth_is_not_growing(self, of: Any) -> None:
        before = [sold("a", 100, "2026-01-01"), sold("b", 50, "2026-01-01")]
        rows = of(*before, sold("a", 110, "2026-04-01"), sold("b", 55, "2026-04-01"), **self.QUARTER)
        assert column(rows, "class") == {"a": "cash_cow", "b": "cash_cow"}

    def test_without_a_measure_before_growth_is_null_and_the_client_grows(self, of: Any) -> None:
        rows = of(sold("a", 10, "2026-05-01"), sold("b", 1, "2026-05-01"), sold("a", 10, "2025-12-31"), **self.QUARTER)
        assert column(rows, "growth") == {"a": None, "b": None}
        assert column(rows, "class") == {"a": "star", "b": "question_mark"}

    def test_bounds_are_configurable(self, of: Any) -> None:
        history = [sold("a", 100, "2026-02-01"), sold("a", 90, "2026-05-01"), sold("b", 10, "2026-05-01")]
        rows = of(*history, bounds="-20,10", **self.QUARTER)
        assert column(rows, "class") == {"a": "star", "b": "star"}

    @pytest.mark.parametrize(
        ("first", "last", "before"),
        [
            ("2026-04-01", "2026-06-30", "2026-01-01"),
            ("2026-03-01", "2026-03-31", "2026-02-01"),
            ("2026-01-01", "2026-12-31", "2025-01-01"),
            ("2026-03-02", "2026-03-31", "2026-01-31"),
            ("2026-03-01", "2026-03-01", "2026-02-28"),
        ],
    )
    def test_the_period_before_has_as_many_whole_months_or_days(self, first: str, last: str, before: str) -> None:
        given = Classes.model_validate({"method": "bcg", "measure": "sales", "from": first, "to": last})
        assert str(given.model_dump()["before"]) == before


@pytest.mark.parametrize(
    ("method", "bounds"),
    [("abc", "80"), ("abc", "95,80"), ("abc", "-1,80"), ("abc", "a,b"), ("xyz", "1,2,3"), ("bcg", "10,101")],
)
def test_bad_bounds_are_refused_by_name(method: str, bounds: str) -> None:
    given = {"method": method, "measure": "sales", "from": "2026-01-01", "to": "2026-01-31", "bounds": bounds}
    with pytest.raises(ValidationError) as refused:
        Classes.model_validate(given)
    assert {error["loc"][0] for error in refused.value.errors()} == {"bounds"}


def test_a_period_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="must not be before from"):
        Classes.model_validate({"method": "abc", "measure": "sales", "from": "2026-02-01", "to": "2026-01-31"})


# Against a plain computation

FIRST = date(2025, 1, 1)
days = st.integers(0, 200).map(lambda number: FIRST + timedelta(days=number))
amounts = st.integers(-300, 900).filter(bool).map(lambda cents: Decimal(cents) / 100)
histories = st.lists(
    st.builds(lambda client, amount, on: sold(client, amount, str(on)), st.sampled_from("abcde"), amounts, days),
    max_size=25,
)
Sums = dict[str, Fraction]


def some_days(first: date, length: int) -> tuple[date, date]:
    return first, first + timedelta(days=length - 1)


def whole_months(month: int, length: int) -> tuple[date, date]:
    first, after = (date(2025 + number // 12, number % 12 + 1, 1) for number in (month, month + length))
    return first, after - timedelta(days=1)


def begun_before(first: date, last: date) -> date:
    """Where the period of the same length before begins: as many days earlier, or as many months."""
    after = last + timedelta(days=1)
    if (first.day, after.day) != (1, 1):
        return first - (after - first)
    begin = first
    while after > first:
        after, begin = ((day - timedelta(days=1)).replace(day=1) for day in (after, begin))
    return begin


periods = st.builds(some_days, days.filter(lambda day: day.day != 1), st.integers(1, 100)) | st.builds(
    whole_months, st.integers(0, 6), st.integers(1, 6)
)


def rounded(value: Fraction | None) -> Decimal | None:
    """Half up in four places."""
    if value is None:
        return None
    with localcontext(prec=100):
        return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def sums(history: Sequence[tuple[date, Event]], first: date, last: date) -> Sums:
    found: Sums = {}
    for on, event in history:
        if first <= on <= last:
            amount = event.amount if isinstance(event, Issued) else -event.amount
            found[event.client] = found.get(event.client, Fraction(0)) + Fraction(amount)
    return found


def slow_abc(measure: Sums) -> dict[str, str]:
    total = sum(max(amount, Fraction(0)) for amount in measure.values())
    found, before = {}, Fraction(0)
    for client, amount in sorted(measure.items(), key=lambda item: (-item[1], item[0])):
        share = before / total if total else Fraction(1)
        found[client] = "C" if amount <= 0 or share >= Fraction(95, 100) else "B" if share >= Fraction(80, 100) else "A"
        before += max(amount, Fraction(0))
    return found


def slow_xyz(history: Sequence[tuple[date, Event]], first: date, last: date) -> dict[str, tuple[Decimal | None, str]]:
    months = sorted({(first + timedelta(days=n)).strftime("%Y-%m") for n in range((last - first).days + 1)})
    found: dict[str, tuple[Decimal | None, str]] = {}
    for client in sums(history, first, last):
        own = [entry for entry in history if entry[1].client == client]
        by_month = [
            sums([entry for entry in own if entry[0].strftime("%Y-%m") == month], first, last).get(client, Fraction(0))
            for month in months
        ]
        mean = sum(by_month) / len(months)
        if not mean:
            found[client] = None, "Z"
            continue
        square = sum((amount - mean) ** 2 for amount in by_month) / len(months) / mean**2
        with localcontext(prec=100):
            root = (Decimal(square.numerator) / square.denominator).sqrt()
            variation = root.quantize(Decimal("0.0001"), ROUND_HALF_UP)
        steady = "X" if square <= Fraction(1, 100) else "Y" if square <= Fraction(1, 16) else "Z"
        found[client] = variation, steady if mean > 0 else "Z"
    return found


def growth(now: Fraction, before: Fraction | None) -> Fraction | None:
    return (now - before) / before if before and before > 0 else None


def slow_bcg(now: Sums, before: Sums) -> dict[str, str]:
    largest = max(now.values(), default=Fraction(0))
    found = {}
    for client, amount in now.items():
        by = growth(amount, before.get(client))
        growing = by is None or by > Fraction(1, 10)
        large = largest > 0 and amount / largest >= Fraction(1, 2)
        found[client] = {
            (True, True): "star",
            (False, True): "cash_cow",
            (True, False): "question_mark",
            (False, False): "dog",
        }[growing, large]
    return found


@given(history=histories, period=periods, as_of=days, known=st.integers(0, 25))
def test_classes_are_what_a_plain_computation_makes_of_the_documents(
    books: Books, history: list[tuple[date, Event]], period: tuple[date, date], as_of: date, known: int
) -> None:
    first, to = period
    books.wipe()
    books.project(placed(history))
    asked = {"measure": "sales", "from": first, "to": to}
    for moment, seen, last in (
        ({}, history, to),
        ({"as_of": as_of}, [entry for entry in history if entry[0] <= as_of], min(to, as_of)),
        ({"known_at": known}, history[:known], to),
    ):
        measure = sums(seen, first, last)
        total = sum(max(amount, Fraction(0)) for amount in measure.values())
        abc = {row["client"]: row for row in books.items(PATH, method="abc", **asked, **moment)}
        assert column(abc, "class") == slow_abc(measure)
        assert column(abc, "share") == {c: rounded(m / total if total else None) for c, m in measure.items()}
        xyz = books.items(PATH, method="xyz", **asked, **moment)
        assert {row["client"]: (row["variation"], row["class"]) for row in xyz} == slow_xyz(seen, first, last)
        bcg = {row["client"]: row for row in books.items(PATH, method="bcg", **asked, **moment)}
        before = sums(seen, begun_before(first, last), first - timedelta(days=1))
        assert column(bcg, "class") == slow_bcg(measure, before)
        assert column(bcg, "growth") == {c: rounded(growth(m, before.get(c))) for c, m in measure.items()}
