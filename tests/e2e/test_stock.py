"""Stock over HTTP: promises, transfers, counts, returns; what is refused tells the facts."""

from typing import Any

import pytest

from tests.e2e.api import Api
from tests.e2e.given import Command, at, product, received, shipped, warehouse
from tests.e2e.load import CALLERS, at_once, codes


def on_item(verb: str, *, on: str, **more: object) -> Command:
    return {"type": f"stock.{verb}", "product": "P1", "warehouse": "W1", "effective_at": at(on), **more}


def dispatched(quantity: str, *, on: str, transfer: str = "T1") -> Command:
    places = {"product": "P1", "from_warehouse": "W1", "to_warehouse": "W2"}
    return {"type": "stock.dispatch", "transfer": transfer, "quantity": quantity, "effective_at": at(on), **places}


def accepted(quantity: str, *, on: str, **more: object) -> Command:
    return {"type": "stock.accept", "transfer": "T1", "quantity": quantity, "effective_at": at(on), **more}


@pytest.fixture
def book(api: Api) -> Api:
    """Ten lamps in W1, none in W2."""
    api.given(product(), warehouse("W1"), warehouse("W2"), received("10", on="2026-05-01"))
    return api


def balance(book: Api, place: str = "W1", **moment: str) -> dict[str, Any]:
    asked = "&".join(f"{name}={value}" for name, value in moment.items())
    [row] = book.rows(f"/v1/stock/balances?group_by=product,warehouse&warehouse={place}&{asked}")
    return {name: row[name] for name in ("on_hand", "reserved", "available", "in_transit", "incoming", "forecast")}


def test_available_is_on_hand_less_reserved_and_forecast_counts_what_is_ordered(book: Api) -> None:
    book.given(on_item("reserve", on="2026-05-02", reservation="R1", quantity="4"))
    book.given(on_item("order", on="2026-05-02", order="O1", quantity="5"))
    assert balance(book) == {
        "on_hand": "10",
        "reserved": "4",
        "available": "6",
        "in_transit": "0",
        "incoming": "5",
        "forecast": "11",
    }
    facts = book.refused(shipped("7", on="2026-05-03"), 422, "insufficient_stock")
    assert {name: facts[name] for name in ("available", "shortfall", "on")} == {
        "available": "6",
        "shortfall": "1",
        "on": "2026-05-03",
    }
    book.given(shipped("3", on="2026-05-03", reservation="R1"), received("2", on="2026-05-04", order="O1"))
    assert balance(book) == {
        "on_hand": "9",
        "reserved": "1",
        "available": "8",
        "in_transit": "0",
        "incoming": "3",
        "forecast": "11",
    }
    book.given({"type": "stock.release", "reservation": "R1"}, {"type": "stock.cancel_order", "order": "O1"})
    assert balance(book)["forecast"] == "9"
    assert balance(book, as_of="2026-05-03")["incoming"] == "5"


def test_a_transfer_is_on_its_way_until_it_is_accepted_and_what_is_lost_is_gone(book: Api) -> None:
    [sent] = book.given(dispatched("6", on="2026-05-02"))
    assert [event["stream"] for event in sent["events"]] == ["stock-W1/P1", "stock-W2/P1"]
    assert (balance(book)["on_hand"], balance(book, "W2")["in_transit"]) == ("4", "6")
    book.given(accepted("2", on="2026-05-03"))
    facts = book.refused(accepted("5", on="2026-05-04"), 422, "transfer_exceeded")
    assert (facts["open"], facts["shortfall"]) == ("4", "1")
    book.given(accepted("3", on="2026-05-04", loss="1"))
    assert balance(book, "W2")["on_hand"] == "5"
    assert balance(book, "W2")["in_transit"] == "0"
    [total] = book.rows("/v1/stock/balances?group_by=product")
    assert (total["on_hand"], total["in_transit"]) == ("9", "0")


def test_what_was_lost_on_the_way_is_in_the_movements_with_its_reason(book: Api) -> None:
    book.given(dispatched("6", on="2026-05-02"), accepted("3", on="2026-05-04", loss="2"))
    [lost] = [row for row in book.rows("/v1/stock/movements") if row["event_type"] == "stock.lost_in_transit"]
    figures = ("warehouse", "quantity", "lost", "document", "reason")
    assert [lost[name] for name in figures] == ["W2", "0", "2", "T1", "transit loss"]


def test_a_period_ends_at_as_of_if_that_is_earlier(book: Api) -> None:
    book.given(shipped("4", on="2026-05-10"))
    path = "/v1/stock/turnovers?from=2026-05-01&to=2026-05-31"
    assert [(row["issued"], row["closing"]) for row in book.rows(path)] == [("4", "6")]
    assert [(row["issued"], row["closing"]) for row in book.rows(f"{path}&as_of=2026-05-05")] == [("0", "10")]
    assert book.rows(f"{path}&as_of=2026-04-30") == []


def test_a_later_backdated_movement_before_a_stocktake_changes_the_adjustment_not_the_count(book: Api) -> None:
    book.given(on_item("count", on="2026-05-10", counted="8"))
    before = book.written
    book.given(shipped("3", on="2026-05-05"))
    assert balance(book, as_of="2026-05-05")["on_hand"] == "7"
    assert balance(book, as_of="2026-05-10")["on_hand"] == "8"
    assert balance(book, as_of="2026-05-05", known_at=str(before))["on_hand"] == "10"
    adjustments = [row for row in book.rows("/v1/stock/movements") if row["reason"] == "count"]
    assert [(row["event_type"], row["quantity"], row["effective_at"][:10]) for row in adjustments] == [
        ("stock.counted", "-2", "2026-05-10"),
        ("stock.count_adjusted", "3", "2026-05-10"),
    ]


def test_returns_come_in_and_go_out(book: Api) -> None:
    book.given(shipped("4", on="2026-05-02", document="SH-1"))
    book.given(on_item("return_in", on="2026-05-03", quantity="1", document="SH-1", price="12.00"))
    book.given(on_item("return_out", on="2026-05-04", quantity="2", document="RC-1"))
    assert [(row["event_type"], row["quantity"], row["document"]) for row in book.rows("/v1/stock/movements")][2:] == [
        ("stock.returned_in", "1", "SH-1"),
        ("stock.returned_out", "-2", "RC-1"),
    ]
    facts = book.refused(
        on_item("return_out", on="2026-05-04", quantity="6", document="RC-1"), 422, "insufficient_stock"
    )
    assert facts["available"] == "5"


def test_a_backdated_issue_that_would_make_an_earlier_day_negative_names_the_day_and_the_shortfall(book: Api) -> None:
    book.given(shipped("8", on="2026-05-05"), received("10", on="2026-05-20"))
    facts = book.refused(shipped("5", on="2026-05-03"), 422, "insufficient_stock")
    assert (facts["on"], facts["shortfall"]) == ("2026-05-05", "3")


def test_a_write_off_has_a_reason_of_the_company_s_list(book: Api) -> None:
    facts = book.refused(on_item("write_off", on="2026-05-02", quantity="1", reason="bored"), 422, "reason_unknown")
    assert "damage" in facts["reasons"]
    book.given({"type": "stock.list_reasons", "reasons": ["bored"]})
    book.given(on_item("write_off", on="2026-05-02", quantity="1", reason="bored"))
    assert [row["reason"] for row in book.rows("/v1/stock/movements")] == [None, "bored"]


def test_a_lot_that_expires_first_goes_first(book: Api) -> None:
    book.given(received("4", on="2026-05-01", lot="late", expires_on="2027-05-01"))
    book.given(received("4", on="2026-05-02", lot="soon", expires_on="2026-09-01"))
    book.given(shipped("6", on="2026-05-03"))
    rows = book.rows("/v1/stock/balances")
    assert {row["lot"]: row["on_hand"] for row in rows} == {None: "10", "late": "2"}


def test_nothing_is_accepted_in_a_closed_period_any_more(book: Api) -> None:
    book.given({"type": "period.close", "through": "2026-05-31"})
    facts = book.refused(shipped("1", on="2026-05-31"), 422, "period_closed")
    assert (facts["on"], facts["closed_through"]) == ("2026-05-31", "2026-05-31")
    book.given(shipped("1", on="2026-06-01"))


@pytest.mark.parametrize(
    ("command", "status", "code"),
    [
        ({"type": "stock.release", "reservation": "R9"}, 404, "not_found"),
        ({"type": "stock.cancel_order", "order": "O9"}, 404, "not_found"),
        ({"type": "stock.accept", "transfer": "T9", "quantity": "1"}, 404, "not_found"),
        ({"type": "stock.accept", "transfer": "T9", "quantity": "0"}, 422, "invalid"),
        (dispatched("1", on="2026-05-02") | {"to_warehouse": "W1"}, 422, "invalid"),
        (dispatched("1", on="2026-05-02") | {"to_warehouse": "W9"}, 404, "not_found"),
        (on_item("count", on="2026-05-02", counted="-1"), 422, "invalid"),
        (on_item("count", on="2026-05-02", counted="0.5"), 422, "invalid"),
        ({"type": "stock.list_reasons", "reasons": []}, 422, "invalid"),
        ({"type": "period.close", "through": "2999-01-01"}, 422, "invalid"),
    ],
)
def test_what_makes_no_sense_is_refused(book: Api, command: Command, status: int, code: str) -> None:
    book.refused(command, status, code)


def test_a_hundred_callers_on_one_reservation_get_what_it_promises_and_no_more(book: Api) -> None:
    book.given(on_item("reserve", on="2026-05-02", reservation="R1", quantity="10"))
    answers = at_once(book, [shipped("1", on="2026-05-03", reservation="R1")] * 2 * CALLERS)
    assert codes(answers) == {201: 10, "not_found": 2 * CALLERS - 10}
    assert book.rows("/v1/stock/balances") == []
