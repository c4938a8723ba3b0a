"""The funnel over HTTP: each definition of its figures, on the worked example and on a deal that was opened again."""

from typing import Any

import pytest

from tests.e2e.api import Api, problem, table
from tests.e2e.given import (
    assigned,
    at,
    client,
    deal,
    estimated,
    lost,
    moved,
    pipeline,
    reopened,
    touched,
    won,
)

MAY = "closed_from=2026-05-01&closed_to=2026-05-31"
AS_OF = "as_of=2026-05-10"
on_may_1 = {"effective_at": at("2026-05-01")}
NOTHING = {"deals": 0, "amount": "0"}


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    """X: A 1 May, B 3 May, won 9 May, 100. Y: A 2 May, C 5 May, back to B 8 May, 200, open. Z: A 4 May, lost 6 May
    (price), 50. In another pipeline R: A 1 May, 100, lost 3 May, again from B on 5 May, 150 on 6 May, won 8 May; and S,
    of which nothing is known."""
    api = shared
    api.given(client(attributes={"segment": "retail"}, effective_at=at("2026-04-01")), client("C2"))
    api.given(touched("C1", "email", on="2026-04-30", source="newsletter"), touched("C1", "call", on="2026-05-02"))
    api.given(touched("C1", "call", on="2026-05-08"), touched("C1", "meeting", on="2026-05-20"))
    api.given(pipeline("sales", "free", "A", "B", "C"), pipeline("again", "strict", "A", "B", "C"))
    api.given(deal("X", "sales", "100.00", on="2026-05-01", owner="eve", source="fair"))
    api.given(deal("Y", "sales", "200.00", on="2026-05-02", owner="kim", source="fair", client="C2"))
    api.given(deal("Z", "sales", "50.00", on="2026-05-04", source="web"))
    api.given(moved("X", "B", on="2026-05-03"), won("X", on="2026-05-09"))
    api.given(moved("Y", "C", on="2026-05-05"), moved("Y", "B", on="2026-05-08"), lost("Z", "price", on="2026-05-06"))
    api.given(deal("R", "again", "100.00", on="2026-05-01", client="C2", source="web"))
    api.given(lost("R", "price", on="2026-05-03"), reopened("R", "B", on="2026-05-05"))
    api.given(estimated("R", "150.00", on="2026-05-06"), moved("R", "C", on="2026-05-07"), won("R", on="2026-05-08"))
    api.given({"type": "deal.open", "deal": "S", "client": "C2", "pipeline": "again", "effective_at": at("2026-05-09")})
    return api


def cells(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


class TestSnapshot:
    def test_deals_and_their_amount_by_the_stage_they_stand_in_open_stages_won_lost(self, book: Api) -> None:
        found = book.ask(f"/v1/funnel/snapshot?pipeline=sales&{AS_OF}")
        standing = [("A", 0, "0"), ("B", 1, "200.00"), ("C", 0, "0")]
        assert cells(found["stages"], "stage", "deals", "amount") == standing
        assert (found["won"], found["lost"]) == ({"deals": 1, "amount": "100.00"}, {"deals": 1, "amount": "50.00"})

    def test_weighted_is_the_sum_of_amount_by_stage_probability_over_open_deals(self, book: Api) -> None:
        assert float(book.ask(f"/v1/funnel/snapshot?pipeline=sales&{AS_OF}")["weighted"]) == 100

    def test_a_deal_opened_early_counts_without_an_amount(self, book: Api) -> None:
        found = book.ask(f"/v1/funnel/snapshot?pipeline=again&{AS_OF}")
        assert found["stages"][0] == {"stage": "A", "name": "Stage A", **NOTHING, "deals": 1}
        assert book.ask("/v1/deals/S")["outcome"] == "open"

    def test_an_estimate_counts_from_its_time_on(self, book: Api) -> None:
        amounts = {
            day: book.ask(f"/v1/funnel/snapshot?pipeline=again&as_of=2026-05-0{day}")["stages"][1]["amount"]
            for day in (4, 5, 6)
        }
        assert amounts == {4: "0", 5: "100.00", 6: "150.00"}

    def test_groups_have_the_same_answer_each(self, book: Api) -> None:
        found = book.ask(f"/v1/funnel/snapshot?pipeline=sales&group_by=owner&{AS_OF}")
        assert (found["pipeline"], found["currency"]) == ("sales", "EUR")
        assert [group["owner"] for group in found["groups"]] == ["eve", "kim", None]
        eve, kim, nobody = found["groups"]
        assert (eve["won"]["amount"], kim["stages"][1]["amount"], nobody["lost"]["amount"]) == (
            "100.00",
            "200.00",
            "50.00",
        )
        assert (eve["lost"], [stage["stage"] for stage in eve["stages"]]) == (NOTHING, ["A", "B", "C"])

    def test_several_dimensions_group_together(self, book: Api) -> None:
        found = book.ask(f"/v1/funnel/snapshot?pipeline=sales&group_by=source,segment&{AS_OF}")
        assert cells(found["groups"], "source", "segment") == [("fair", "retail"), ("fair", None), ("web", "retail")]

    def test_a_group_is_of_the_owner_at_as_of(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A"), deal("D", "p", "10.00", on="2026-05-01", owner="eve"))
        api.given(assigned("D", "kim", on="2026-05-05"))
        owners = {
            day: [g["owner"] for g in api.ask(f"/v1/funnel/snapshot?pipeline=p&group_by=owner&as_of={day}")["groups"]]
            for day in ("2026-04-30", "2026-05-04", "2026-05-05")
        }
        assert owners == {"2026-04-30": [], "2026-05-04": ["eve"], "2026-05-05": ["kim"]}

    def test_what_cannot_be_grouped_by_is_refused(self, book: Api) -> None:
        problem(book.get("/v1/funnel/snapshot?pipeline=sales&group_by=stage"), 422, "invalid")


class TestCohort:
    def test_deals_opened_in_the_period_with_their_outcome_as_of(self, book: Api) -> None:
        path = "/v1/funnel/cohort?pipeline=sales&opened_from=2026-05-01&opened_to=2026-05-31"
        found = book.ask(f"{path}&{AS_OF}")
        assert (found["opened"], found["won"], found["lost"], found["open"]) == (3, 1, 1, 1)
        stages = [("A", 3, 3, "0.6667"), ("B", 2, 2, "1.0000"), ("C", 2, 1, "0.5000")]
        assert cells(found["stages"], "stage", "reached", "visited", "step_conversion") == stages

    def test_a_deal_ever_won_has_passed_them_all_even_when_it_is_open_again(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A", "B", "C"), deal("D", "p", "10.00", on="2026-05-01"))
        api.given(won("D", on="2026-05-02"), reopened("D", "B", on="2026-05-03"))
        found = api.ask("/v1/funnel/cohort?pipeline=p&opened_from=2026-05-01&opened_to=2026-05-31")
        assert cells(found["stages"], "reached", "visited") == [(1, 1), (1, 1), (1, 0)]
        assert (found["won"], found["open"], found["stages"][2]["step_conversion"]) == (0, 1, "0.0000")


class TestWinRate:
    def test_won_of_won_and_lost_by_the_date_of_closing(self, book: Api) -> None:
        found = book.ask(f"/v1/funnel/win-rate?pipeline=sales&{MAY}")
        assert (found["won"], found["lost"], found["rate"]) == (1, 1, "0.5000")
        found = book.ask("/v1/funnel/win-rate?pipeline=sales&closed_from=2026-05-07&closed_to=2026-05-09")
        assert (found["won"], found["lost"], found["rate"]) == (1, 0, "1.0000")

    def test_each_closing_counts_a_reopened_deal_may_close_again(self, book: Api) -> None:
        found = book.ask(f"/v1/funnel/win-rate?pipeline=again&{MAY}")
        assert (found["won"], found["lost"], found["rate"]) == (1, 1, "0.5000")

    def test_an_empty_denominator_gives_null(self, book: Api) -> None:
        found = book.ask("/v1/funnel/win-rate?pipeline=sales&closed_from=2026-05-01&closed_to=2026-05-05")
        assert (found["won"], found["lost"], found["rate"]) == (0, 0, None)


class TestLosses:
    def test_from_which_stage_for_which_reason_count_and_amount(self, book: Api) -> None:
        [loss] = book.rows(f"/v1/funnel/losses?pipeline=sales&{MAY}")
        assert loss == {"stage": "A", "reason": "price", "deals": 1, "amount": "50.00"}

    def test_the_amount_is_what_the_deal_was_worth_when_it_was_lost(self, book: Api) -> None:
        [loss] = book.rows(f"/v1/funnel/losses?pipeline=again&{MAY}")
        assert loss == {"stage": "A", "reason": "price", "deals": 1, "amount": "100.00"}


class TestTransitions:
    def test_matrix_of_moves_start_and_outcomes_are_states_too(self, book: Api) -> None:
        rows = book.rows(f"/v1/funnel/transitions?pipeline=sales&{AS_OF}")
        moves = [("start", "A", 3), ("A", "B", 1), ("A", "C", 1), ("A", "lost", 1), ("B", "won", 1), ("C", "B", 1)]
        assert cells(rows, "from", "to", "deals") == moves

    def test_reopening_is_a_move_from_an_outcome(self, book: Api) -> None:
        rows = book.rows("/v1/funnel/transitions?pipeline=again")
        assert ("lost", "B", 1) in cells(rows, "from", "to", "deals")

    def test_entering_in_the_middle_and_returning_are_moves(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A", "B"), deal("D", "p", "10.00", on="2026-05-01", stage="B"))
        api.given(moved("D", "A", on="2026-05-02"), moved("D", "B", on="2026-05-03"), moved("D", "A", on="2026-05-04"))
        rows = api.rows("/v1/funnel/transitions?pipeline=p")
        assert cells(rows, "from", "to", "deals") == [("start", "B", 1), ("A", "B", 1), ("B", "A", 2)]

    def test_entries_less_exits_are_the_deals_standing_there(self, book: Api) -> None:
        for name in ("sales", "again"):
            rows = book.rows(f"/v1/funnel/transitions?pipeline={name}")
            for stage in book.ask(f"/v1/funnel/snapshot?pipeline={name}")["stages"]:
                entries = sum(row["deals"] for row in rows if row["to"] == stage["stage"])
                exits = sum(row["deals"] for row in rows if row["from"] == stage["stage"])
                assert entries - exits == stage["deals"]

    def test_they_may_be_those_of_the_deals_opened_in_a_period(self, book: Api) -> None:
        rows = book.rows("/v1/funnel/transitions?pipeline=sales&opened_from=2026-05-02&opened_to=2026-05-03")
        assert cells(rows, "from", "to") == [("start", "A"), ("A", "C"), ("C", "B")]


class TestDurations:
    def test_per_visit_and_per_deal_mean_median_90th_percentile(self, book: Api) -> None:
        a, b, c = book.rows(f"/v1/funnel/durations?pipeline=sales&{AS_OF}")
        figures = ("visits", "mean_days", "median_days", "p90_days", "per_deal_mean_days", "open_visits")
        assert cells([a, b, c], *figures) == [
            (3, "2.3333", "2.0000", "2.8000", "2.3333", 0),
            (1, "6.0000", "6.0000", "6.0000", "6.0000", 1),
            (1, "3.0000", "3.0000", "3.0000", "3.0000", 0),
        ]

    def test_visits_of_a_deal_are_summed(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A", "B"), deal("D", "p", "10.00", on="2026-05-01"))
        api.given(moved("D", "B", on="2026-05-02"), moved("D", "A", on="2026-05-03"), moved("D", "B", on="2026-05-06"))
        a, b = api.rows("/v1/funnel/durations?pipeline=p")
        assert (a["visits"], a["mean_days"], a["per_deal_mean_days"]) == (2, "2.0000", "4.0000")
        assert (b["visits"], b["mean_days"], b["open_visits"]) == (1, "1.0000", 1)

    def test_a_stage_that_no_visit_has_left_has_no_duration(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A"), deal("D", "p", "10.00", on="2026-05-01"))
        [a] = api.rows("/v1/funnel/durations?pipeline=p")
        assert (a["visits"], a["mean_days"], a["median_days"], a["p90_days"]) == (0, None, None, None)
        assert (a["per_deal_mean_days"], a["open_visits"]) == (None, 1)

    def test_what_is_told_of_a_deal_is_no_visit(self, book: Api) -> None:
        _, b, _ = book.rows("/v1/funnel/durations?pipeline=again")
        assert (b["visits"], b["mean_days"]) == (1, "2.0000")


class TestCycle:
    def test_opened_to_won_opened_to_lost(self, book: Api) -> None:
        found = book.ask(f"/v1/funnel/cycle?pipeline=sales&{MAY}")
        eight, two = ({"mean_days": d, "median_days": d, "p90_days": d} for d in ("8.0000", "2.0000"))
        assert (found["won"], found["lost"]) == ({"deals": 1, **eight}, {"deals": 1, **two})

    def test_of_a_reopened_deal_it_runs_from_its_opening(self, book: Api) -> None:
        found = book.ask(f"/v1/funnel/cycle?pipeline=again&{MAY}")
        assert (found["won"]["mean_days"], found["lost"]["mean_days"]) == ("7.0000", "2.0000")

    def test_where_nothing_was_closed_there_is_none(self, book: Api) -> None:
        found = book.ask("/v1/funnel/cycle?pipeline=sales&closed_from=2026-07-01&closed_to=2026-07-31")
        assert found["won"] == {"deals": 0, "mean_days": None, "median_days": None, "p90_days": None}


class TestAttribution:
    @pytest.mark.parametrize(
        ("until", "method", "figures"),
        [
            ("opening", "first", [("newsletter", 1, "100.00")]),
            ("opening", "last", [("newsletter", 1, "100.00")]),
            ("opening", "linear", [("newsletter", 1, "100.00")]),
            ("winning", "first", [("newsletter", 1, "100.00")]),
            ("winning", "last", [("call", 1, "100.00")]),
            ("winning", "linear", [("call", 1, "66.67"), ("newsletter", 1, "33.33")]),
        ],
    )
    def test_first_touch_last_touch_linear_over_the_touches_before_opening_or_winning(
        self, book: Api, until: str, method: str, figures: list[tuple[str, int, str]]
    ) -> None:
        rows = book.rows(f"/v1/funnel/attribution?pipeline=sales&{MAY}&until={until}&method={method}")
        assert cells(rows, "source", "deals", "amount") == figures

    def test_a_deal_without_touches_goes_to_its_own_source(self, book: Api) -> None:
        [row] = book.rows(f"/v1/funnel/attribution?pipeline=again&{MAY}&method=linear&until=winning")
        assert row == {"source": "web", "deals": 1, "amount": "150.00"}

    def test_what_nothing_led_to_has_no_source(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A"), deal("D", "p", "10.00", on="2026-05-01"))
        api.given(won("D", on="2026-05-02"))
        [row] = api.rows(f"/v1/funnel/attribution?pipeline=p&{MAY}")
        assert row == {"source": None, "deals": 1, "amount": "10.00"}
        [cell] = table(api.get(f"/v1/funnel/attribution?pipeline=p&{MAY}&format=csv"))
        assert cell["source"] == ""

    def test_each_sums_to_the_amount_exactly(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A"), deal("D", "p", "0.05", on="2026-05-20"))
        api.given(*(touched("C1", "call", on=f"2026-05-0{n}", source=f"s{n}") for n in range(1, 4)))
        api.given(won("D", on="2026-05-21"))
        rows = api.rows(f"/v1/funnel/attribution?pipeline=p&{MAY}&method=linear")
        assert cells(rows, "source", "amount") == [("s1", "0.02"), ("s2", "0.01"), ("s3", "0.02")]

    def test_no_touch_gets_less_than_nothing(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A"), deal("D", "p", "0.05", on="2026-05-20"))
        api.given(*(touched("C1", "call", on=f"2026-05-{n + 10}", source=f"s{n}") for n in range(10)))
        api.given(won("D", on="2026-05-21"))
        rows = api.rows(f"/v1/funnel/attribution?pipeline=p&{MAY}&method=linear")
        assert [row["amount"] for row in rows] == ["0.01", "0.00"] * 5


class TestPipelines:
    def test_renaming_a_stage_does_not_split_its_history(self, api: Api) -> None:
        defined = pipeline("p", "free", "A", "B")
        api.given(client(), defined, deal("D", "p", "10.00", on="2026-05-01"), moved("D", "B", on="2026-05-02"))
        api.given({**defined, "stages": [{**stage, "name": f"New {stage['stage']}"} for stage in defined["stages"]]})
        api.given(deal("E", "p", "10.00", on="2026-05-01"), moved("D", "A", on="2026-05-03"))
        found = api.ask("/v1/funnel/snapshot?pipeline=p")
        assert cells(found["stages"], "stage", "name", "deals") == [("A", "New A", 2), ("B", "New B", 0)]
        assert cells(api.rows("/v1/funnel/durations?pipeline=p"), "stage", "visits") == [("A", 1), ("B", 1)]

    @pytest.mark.parametrize(
        ("policy", "start", "to"),
        [("strict", "A", "C"), ("strict", "B", "A"), ("forward", "B", "A"), ("free", "A", "A")],
    )
    def test_a_move_that_the_policy_forbids_is_refused_and_appends_nothing(
        self, book: Api, policy: str, start: str, to: str
    ) -> None:
        id = f"{policy}-{start}{to}"
        book.given(pipeline(id, policy, "A", "B", "C"), deal(id, id, "1.00", on="2026-05-01", stage=start))
        facts = book.refused(moved(id, to, on="2026-05-02"), 422, "stage_not_allowed")
        assert (facts["current"], facts["stage"], facts["policy"]) == (start, to, policy)

    def test_moves_with_the_same_time_go_by_position(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A", "B", "C"), deal("D", "p", "10.00", on="2026-05-01"))
        api.given(moved("D", "C", on="2026-05-02"), moved("D", "B", on="2026-05-02"))
        found = api.ask("/v1/funnel/snapshot?pipeline=p&as_of=2026-05-02")
        assert cells(found["stages"], "deals") == [(0,), (1,), (0,)]
        assert cells(api.rows("/v1/funnel/durations?pipeline=p"), "visits", "mean_days") == [
            (1, "1.0000"),
            (0, None),
            (1, "0.0000"),
        ]

    def test_a_stage_may_require_what_is_told_later(self, api: Api) -> None:
        defined = pipeline("p", "free", "A", "B")
        defined["stages"][1]["requires"] = ["amount", "owner", "items"]
        api.given(client(), defined, {"type": "deal.open", "deal": "D", "client": "C1", "pipeline": "p"} | on_may_1)
        facts = api.refused(moved("D", "B", on="2026-05-05"), 422, "requirement_missing")
        assert facts["missing"] == ["amount", "owner", "items"]
        items = [{"product": "lamp", "quantity": "2", "price": "5.00"}]
        api.given(estimated("D", "10.00", on="2026-05-05"), assigned("D", "eve", on="2026-05-02"))
        api.given({"type": "deal.specify", "deal": "D", "items": items} | on_may_1, moved("D", "B", on="2026-05-05"))
        card = api.ask("/v1/deals/D")
        assert (card["amount"], card["owner"], card["items"], card["stage"]) == ("10.00", "eve", items, "B")


FIGURES = [
    "snapshot?",
    "cohort?opened_from=2026-05-01&opened_to=2026-05-31",
    f"win-rate?{MAY}",
    f"losses?{MAY}",
    "transitions?",
    "durations?",
    f"cycle?{MAY}",
    f"attribution?{MAY}",
]


@pytest.mark.parametrize("figure", FIGURES)
def test_a_pipeline_that_is_not_there_is_not_found(book: Api, figure: str) -> None:
    problem(book.get(f"/v1/funnel/{figure}&pipeline=none"), 404, "not_found")


@pytest.mark.parametrize("figure", [f"losses?{MAY}", "transitions?", "durations?", f"attribution?{MAY}"])
def test_of_a_pipeline_that_is_not_there_there_is_no_csv(book: Api, figure: str) -> None:
    problem(book.get(f"/v1/funnel/{figure}&pipeline=none&format=csv"), 404, "not_found")


@pytest.mark.parametrize("figure", FIGURES)
def test_what_was_known_before_stays_readable(api: Api, figure: str) -> None:
    api.given(client(), pipeline("p", "free", "A", "B"), deal("D", "p", "10.00", on="2026-05-01"))
    api.given(lost("D", "price", on="2026-05-05"))
    path = f"/v1/funnel/{figure}&pipeline=p&as_of=2026-05-31"
    known = f"{path}&known_at={api.written}"
    then = {**api.ask(known), "meta": None}
    api.given(reopened("D", "B", on="2026-05-06"), estimated("D", "99.00", on="2026-05-02"))
    api.given(touched("C1", "call", on="2026-05-01"), won("D", on="2026-05-07"))
    assert {**api.ask(known), "meta": None} == then
    assert {**api.ask(path), "meta": None} != then


@pytest.mark.parametrize(("registered", "segment"), [({"segment": "big", "a.b": "c"}, "big"), ({"a.b": "c"}, "small")])
def test_a_segment_told_for_before_the_registration_is_the_same_on_the_card_and_in_the_figure(
    api: Api, registered: dict[str, str], segment: str
) -> None:
    api.given(client(attributes=registered, effective_at=at("2026-06-01")), pipeline("p", "free", "A", "B"))
    changes = {"attributes": {"segment": "small"}, "effective_at": at("2026-05-01")}
    api.given({"type": "client.change", "client": "C1", **changes}, deal("D", "p", "10.00", on="2026-06-02"))
    [group] = api.ask("/v1/funnel/snapshot?pipeline=p&group_by=segment&as_of=2026-06-30")["groups"]
    assert group["segment"] == segment
    assert api.ask("/v1/clients/C1?as_of=2026-06-30")["attributes"] == {"a.b": "c", "segment": segment}


def test_lists_come_in_pages_and_as_csv(book: Api) -> None:
    path = f"/v1/funnel/transitions?pipeline=sales&{AS_OF}"
    rows, next = [], ""
    while next is not None:
        page = book.ask(f"{path}&limit=2{next}")
        rows += page["items"]
        next = page["next"] and f"&cursor={page['next']}"
    assert rows == book.rows(path)
    assert [{**row, "deals": int(row["deals"])} for row in table(book.get(f"{path}&format=csv"))] == rows


class TestADealThatIsOpenedAgain:
    def test_its_card_is_open_and_without_the_reason(self, api: Api) -> None:
        api.given(client(), pipeline("p", "free", "A", "B"), deal("D", "p", "10.00", on="2026-05-01"))
        api.given(lost("D", "price", on="2026-05-02"), reopened("D", "B", on="2026-05-03"))
        card = api.ask("/v1/deals/D")
        assert (card["outcome"], card["stage"], card["reason"]) == ("open", "B", None)
        assert cells(card["stages"], "stage", "outcome") == [("A", "open"), ("A", "lost"), ("B", "open")]
        summaries = [row["summary"] for row in api.rows("/v1/clients/C1/timeline") if row["type"] == "deal.reopened"]
        assert summaries == ["lost → B"]

    def test_an_open_one_is_not(self, book: Api) -> None:
        facts = book.refused(reopened("Y", "A", on="2026-05-20"), 422, "deal_open")
        assert facts["stage"] == "B"

    def test_a_card_has_what_was_told_last(self, book: Api) -> None:
        assert book.ask("/v1/deals/R")["amount"] == "150.00"
        assert book.ask("/v1/deals/R?as_of=2026-05-05")["amount"] == "100.00"
