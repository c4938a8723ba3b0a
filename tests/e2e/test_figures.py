"""The worked examples of docs/reference/figures.md, asked over HTTP."""

import re
from pathlib import Path

import pytest

from tests.e2e.api import Api
from tests.e2e.given import (
    client,
    deal,
    invoice,
    lost,
    moved,
    payment,
    pipeline,
    product,
    received,
    shipped,
    warehouse,
    won,
)


class TestTheFunnel:
    @pytest.fixture(scope="class")
    @classmethod
    def book(cls, shared: Api) -> Api:
        """X goes on and is won; Y skips and comes back; Z is lost from the first stage."""
        shared.given(client(), pipeline("sales", "free", "A", "B", "C", probability="0.25"))
        shared.given(deal("X", "sales", "100.00", on="2026-05-01"), moved("X", "B", on="2026-05-03"))
        shared.given(deal("Y", "sales", "200.00", on="2026-05-02"), deal("Z", "sales", "50.00", on="2026-05-04"))
        shared.given(moved("Y", "C", on="2026-05-05"), lost("Z", "price", on="2026-05-06"))
        shared.given(moved("Y", "B", on="2026-05-08"), won("X", on="2026-05-09"))
        return shared

    def test_snapshot_has_deals_where_they_stand(self, book: Api) -> None:
        found = book.ask("/v1/funnel/snapshot?pipeline=sales&as_of=2026-05-10")
        stages = [(stage["stage"], stage["deals"], stage["amount"]) for stage in found["stages"]]
        assert stages == [("A", 0, "0"), ("B", 1, "200.00"), ("C", 0, "0")]
        assert (found["won"], found["lost"]) == ({"deals": 1, "amount": "100.00"}, {"deals": 1, "amount": "50.00"})
        assert float(found["weighted"]) == 50

    def test_snapshot_of_an_earlier_day_has_them_where_they_stood(self, book: Api) -> None:
        found = book.ask("/v1/funnel/snapshot?pipeline=sales&as_of=2026-05-05")
        assert [(stage["stage"], stage["deals"]) for stage in found["stages"]] == [("A", 1), ("B", 1), ("C", 1)]
        assert (found["won"]["deals"], found["lost"]["deals"]) == (0, 0)

    def test_cohort_tells_how_far_they_have_come(self, book: Api) -> None:
        path = "/v1/funnel/cohort?pipeline=sales&opened_from=2026-05-01&opened_to=2026-05-31&as_of=2026-05-10"
        found = book.ask(path)
        stages = [(s["stage"], s["reached"], s["visited"], s["step_conversion"]) for s in found["stages"]]
        assert stages == [("A", 3, 3, "0.6667"), ("B", 2, 2, "1.0000"), ("C", 2, 1, "0.5000")]
        assert (found["opened"], found["won"], found["lost"], found["open"]) == (3, 1, 1, 1)

    def test_an_empty_denominator_gives_null(self, book: Api) -> None:
        found = book.ask("/v1/funnel/cohort?pipeline=sales&opened_from=2027-01-01&opened_to=2027-01-31")
        assert found["conversion"] is None
        assert {stage["step_conversion"] for stage in found["stages"]} == {None}

    def test_a_deal_s_card_tells_its_stages_so_far(self, book: Api) -> None:
        card = book.ask("/v1/deals/Y")
        assert [stage["stage"] for stage in card["stages"]] == ["A", "C", "B"]
        assert [stage["left_at"] and stage["left_at"][:10] for stage in card["stages"]] == [
            "2026-05-05",
            "2026-05-08",
            None,
        ]


class TestStock:
    @pytest.fixture(scope="class")
    @classmethod
    def book(cls, shared: Api) -> Api:
        """4 in on the 1st, 4 on the 3rd, 6 out on the 5th; known later: 2 in on the 2nd."""
        shared.given(product(), warehouse(), received("4", on="2026-05-01"), received("4", on="2026-05-03"))
        shared.given(shipped("6", on="2026-05-05"))
        cls.before = shared.written
        shared.given(received("2", on="2026-05-02"))
        return shared

    before: int

    def test_balance_is_what_came_less_what_went(self, book: Api) -> None:
        days = {day: book.rows(f"/v1/stock/balances?as_of=2026-05-0{day}") for day in (1, 2, 3, 5)}
        assert {day: rows[0]["on_hand"] for day, rows in days.items()} == {1: "4", 2: "6", 3: "10", 5: "4"}

    def test_what_was_known_before_stays_readable(self, book: Api) -> None:
        [row] = book.rows(f"/v1/stock/balances?as_of=2026-05-05&known_at={self.before}")
        assert row["on_hand"] == "2"

    @pytest.mark.parametrize(
        ("first", "last", "figures"),
        [
            ("2026-05-01", "2026-05-31", ("0", "10", "6", "4")),
            ("2026-05-02", "2026-05-04", ("4", "6", "0", "10")),
            ("2026-05-05", "2026-05-05", ("10", "0", "6", "4")),
            ("2026-06-01", "2026-06-30", ("4", "0", "0", "4")),
        ],
    )
    def test_opening_and_turnovers_make_the_closing(
        self, book: Api, first: str, last: str, figures: tuple[str, ...]
    ) -> None:
        [row] = book.rows(f"/v1/stock/turnovers?from={first}&to={last}")
        assert tuple(row[name] for name in ("opening", "received", "issued", "closing")) == figures

    def test_movements_are_in_the_order_they_were_written(self, book: Api) -> None:
        assert [row["quantity"] for row in book.rows("/v1/stock/movements")] == ["4", "4", "-6", "2"]
        assert [row["quantity"] for row in book.rows("/v1/stock/movements?from=2026-05-02&to=2026-05-03")] == ["4", "2"]


class TestReceivables:
    @pytest.fixture(scope="class")
    @classmethod
    def book(cls, shared: Api) -> Api:
        """300 due on 10 June; 100 paid on the 12th and allocated; 50 on the 20th, not allocated."""
        shared.given(client("C9"), invoice("I1", "300.00", due="2026-06-10", client="C9", effective_at=noon(5, 10)))
        paid = [{"invoice": "I1", "amount": "100.00"}]
        shared.given(payment("Z1", "100.00", client="C9", allocate=paid, effective_at=noon(6, 12)))
        shared.given(payment("Z2", "50.00", client="C9", effective_at=noon(6, 20)))
        return shared

    @pytest.mark.parametrize(
        ("as_of", "figures"),
        [
            ("2026-06-10", {"current": "300.00", "balance": "300.00"}),
            ("2026-06-11", {"d1_30": "300.00", "balance": "300.00"}),
            ("2026-06-15", {"d1_30": "200.00", "balance": "200.00"}),
            ("2026-07-10", {"d1_30": "200.00", "unapplied": "-50.00", "balance": "150.00"}),
            ("2026-07-11", {"d31_60": "200.00", "unapplied": "-50.00", "balance": "150.00"}),
            ("2026-07-12", {"d31_60": "200.00", "unapplied": "-50.00", "balance": "150.00"}),
            ("2026-08-09", {"d31_60": "200.00", "unapplied": "-50.00", "balance": "150.00"}),
            ("2026-08-10", {"d61_90": "200.00", "unapplied": "-50.00", "balance": "150.00"}),
            ("2026-09-08", {"d61_90": "200.00", "unapplied": "-50.00", "balance": "150.00"}),
            ("2026-09-09", {"over_90": "200.00", "unapplied": "-50.00", "balance": "150.00"}),
        ],
    )
    def test_debts_are_in_the_bucket_of_their_age(self, book: Api, as_of: str, figures: dict[str, str]) -> None:
        [row] = book.rows(f"/v1/receivables/ageing?client=C9&as_of={as_of}")
        buckets = ("current", "d1_30", "d31_60", "d61_90", "over_90", "unapplied")
        assert {name: row[name] for name in (*buckets, "balance") if row[name] != "0"} == figures
        assert sum(float(row[name]) for name in buckets) == float(row["balance"])

    def test_open_items_tell_what_is_open_and_for_how_long(self, book: Api) -> None:
        days = {
            day: book.rows(f"/v1/receivables/open-items?client=C9&as_of={day}") for day in ("2026-06-15", "2026-07-12")
        }
        found = {day: (row["open"], row["amount"], row["overdue_days"]) for day, [row] in days.items()}
        assert found == {"2026-06-15": ("200.00", "300.00", 5), "2026-07-12": ("200.00", "300.00", 32)}

    def test_a_timeline_joins_all_that_happened_to_a_client(self, book: Api) -> None:
        rows = book.rows("/v1/clients/C9/timeline")
        types = {"invoice.issued", "payment.received", "client.registered"}
        assert [row["type"] for row in rows if row["type"] in types] == [
            "invoice.issued",
            "payment.received",
            "payment.received",
            "client.registered",
        ]


def noon(month: int, day: int) -> str:
    return f"2026-{month:02}-{day:02}T12:00:00Z"


def test_each_address_of_the_figures_page_answers(api: Api) -> None:
    api.given(client(), pipeline("sales", "free", "A"), deal("X", "sales", "1.00", on="2026-05-01"), product())
    api.given(invoice("I1", "300.00", due="2026-06-10"))
    page = (Path(__file__).parents[2] / "docs" / "reference" / "figures.md").read_text()
    addresses = re.findall(r"^\| .* \| `(/v1/[^`]+)` \|$", page, re.MULTILINE)
    assert {address: api.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)
