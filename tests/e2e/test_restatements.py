"""What became known late: which figures of days that were over it changed, and which differ between two knowings."""

from typing import Any

import pytest

from tests.e2e.api import Api
from tests.e2e.cli import Cli
from tests.e2e.given import (
    client,
    deal,
    estimated,
    invoice,
    moved,
    payment,
    pipeline,
    product,
    received,
    shipped,
    touched,
    warehouse,
)


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    """A little of everything, entered late as it is."""
    shared.given(client(), pipeline("sales", "free", "A", "B"), deal("X", "sales", "100.00", on="2026-05-01"))
    shared.given(product(), warehouse(), received("4", on="2026-05-01"), shipped("3", on="2026-05-05"))
    shared.given(invoice("I1", "300.00", due="2026-06-10", effective_at="2026-05-10T12:00:00Z"))
    shared.given(warehouse("W2"))
    return shared


def restated(book: Api, area: str, after: int) -> list[dict[str, Any]]:
    return book.rows(f"/v1/{area}/restatements?after={after}")


def test_a_receipt_entered_late_restates_what_was_on_hand(book: Api) -> None:
    before = book.written
    book.given(received("2", on="2026-05-03"))
    row = {"position": book.written, "caused_by": "stock.received", "on": "2026-05-03", "product": "P1"}
    assert restated(book, "stock", before) == [{**row, "warehouse": "W1", "figure": "on_hand", "was": "4", "is": "6"}]
    assert restated(book, "stock", book.written) == []


def test_a_payment_entered_late_restates_the_debt(book: Api) -> None:
    before = book.written
    paid = [{"invoice": "I1", "amount": "100.00"}]
    book.given(payment("Z1", "100.00", allocate=paid, effective_at="2026-05-12T12:00:00Z"))
    rows = restated(book, "receivables", before)
    assert {(row["on"], row["client"], row["counterparty"], row["currency"]) for row in rows} == {
        ("2026-05-12", "C1", "C1", "EUR")
    }
    assert [(row["position"] - before, row["caused_by"], row["figure"], row["was"], row["is"]) for row in rows] == [
        (1, "payment.received", "balance", "300.00", "200.00"),
        (1, "payment.received", "unapplied", "0", "-100.00"),
        (2, "payment.allocated", "gross", "300.00", "200.00"),
        (2, "payment.allocated", "unapplied", "-100.00", "0.00"),
    ]


def test_a_move_entered_late_restates_where_deals_stood(book: Api) -> None:
    before = book.written
    book.given(moved("X", "B", on="2026-05-03"))
    row = {"position": book.written, "caused_by": "deal.moved", "on": "2026-05-03", "pipeline": "sales"}
    assert restated(book, "funnel", before) == [
        {**row, "stage": "A", "currency": None, "figure": "deals", "was": "1", "is": "0"},
        {**row, "stage": "A", "currency": "EUR", "figure": "amount", "was": "100.00", "is": "0.00"},
        {**row, "stage": "B", "currency": None, "figure": "deals", "was": "0", "is": "1"},
        {**row, "stage": "B", "currency": "EUR", "figure": "amount", "was": "0", "is": "100.00"},
    ]


def test_an_estimate_entered_late_restates_what_the_deals_of_a_stage_were_worth(book: Api) -> None:
    book.given(deal("Y", "sales", "50.00", on="2026-06-01"), moved("Y", "B", on="2026-06-05"))
    before = book.written
    book.given(estimated("Y", "80.00", on="2026-06-03"))
    row = {"position": book.written, "caused_by": "deal.estimated", "on": "2026-06-03", "pipeline": "sales"}
    worth = {"currency": "EUR", "figure": "amount"}
    assert restated(book, "funnel", before) == [{**row, "stage": "A", **worth, "was": "50.00", "is": "80.00"}]
    assert book.rows(f"/v1/funnel/restatements?after={before}&currency=USD") == []


def test_what_takes_effect_on_the_day_it_is_entered_restates_nothing(book: Api) -> None:
    before = book.written
    now = received("1", on="2026-05-03")
    del now["effective_at"]
    book.given(now)
    assert restated(book, "stock", before) == []


@pytest.mark.parametrize(
    ("area", "one", "other"),
    [
        ("stock", "product=P1&warehouse=W1", "warehouse=W2"),
        ("receivables", "client=C1&counterparty=C1&currency=EUR", "currency=USD"),
        ("funnel", "pipeline=sales&stage=A", "stage=won"),
    ],
)
def test_restatements_are_asked_for_one_of_their_dimensions(book: Api, area: str, one: str, other: str) -> None:
    rows = book.rows(f"/v1/{area}/restatements")
    names = dict(part.split("=") for part in one.split("&"))
    wanted = [row for row in rows if all(row[name] == value for name, value in names.items())]
    assert book.rows(f"/v1/{area}/restatements?{one}") == wanted
    assert wanted
    assert book.rows(f"/v1/{area}/restatements?{other}") == []


@pytest.fixture
def late(cli: Cli) -> tuple[Cli, int, int]:
    """The command line, and the positions before and after a receipt that was entered late."""
    with cli.served() as api:
        api.given(client(), product(), warehouse(), received("4", on="2026-05-01"))
        before = api.written
        api.given(received("2", on="2026-05-03"))
        for path in ("/v1/clients", "/v1/products", "/v1/warehouses", "/v1/deals", "/v1/clients/C1/timeline"):
            api.ask(path)
        for area in ("stock", "receivables"):
            api.ask(f"/v1/{area}/restatements")
        return cli, before, api.written


def known_at(*positions: object) -> list[str]:
    return [part for position in positions for part in ("--known-at", str(position))]


def test_a_diff_tells_each_cell_that_was_known_otherwise(late: tuple[Cli, int, int]) -> None:
    cli, before, after = late
    told = cli.json("diff", *known_at(before, after), "--as-of", "2026-05-03", status=3)
    assert (told["known_at"], told["as_of"]) == ([before, after], "2026-05-03")
    cell = {"product": "P1", "warehouse": "W1", "lot": None}
    change = {"projection": "stock", "table": "stock", "cell": cell, "figure": "on_hand", "was": "4", "is": "6"}
    assert told["items"] == [change]
    shown = cli("diff", "stock", *known_at(before, after), status=3).stdout
    assert all(word in shown for word in ("product P1, warehouse W1", "on_hand", "4", "6"))


def test_a_diff_tells_each_row_that_a_history_got_in_between(cli: Cli) -> None:
    """A touch before the first one, a segment taken away: they change figures, and no last state."""
    with cli.served() as api:
        api.given(client(attributes={"segment": "big"}), touched("C1", "call", on="2026-05-05", interaction="T1"))
        before = api.written
        api.given(touched("C1", "email", on="2026-05-02", interaction="T2"))
        api.given({"type": "client.change", "client": "C1", "attributes": {"segment": None}})
        after = api.written
        api.ask("/v1/deals")
    told = cli.json("diff", "deals", *known_at(before, after), status=3)["items"]
    assert [(each["table"], each["figure"], each["was"], each["is"]) for each in told] == [
        ("touch", "interaction.logged", None, {"source": "email"}),
        ("client_segment", "client.changed", None, {"segment": None}),
    ]
    cell = {"client": "C1", "effective_at": "2026-05-02T12:00:00+00:00", "position": before + 1}
    assert told[0]["cell"] == cell
    back = cli.json("diff", "deals", *known_at(after, before), status=3)["items"]
    assert [(each["was"], each["is"]) for each in back] == [(each["is"], each["was"]) for each in told]
    shown = cli("diff", "deals", *known_at(before, after), status=3).stdout
    assert all(words in shown for words in ("interaction.logged", "source email", "client.changed", "–"))


def test_a_diff_of_what_is_the_same_is_empty_and_a_success(late: tuple[Cli, int, int]) -> None:
    cli, before, after = late
    assert cli.json("diff", *known_at(before, after), "--as-of", "2026-05-02")["items"] == []
    assert cli.json("diff", "clients", *known_at(before, after))["items"] == []
    assert cli.json("diff", *known_at(after, after))["items"] == []
    assert "nothing differs" in cli("diff", *known_at(after, after)).stdout


def test_a_diff_takes_times(late: tuple[Cli, int, int]) -> None:
    cli, _, after = late
    told = cli.json("diff", "stock", *known_at("2026-01-01T00:00:00Z", "2200-01-01T00:00:00Z"), status=3)
    assert told["known_at"] == [0, after]
    assert [(each["was"], each["is"]) for each in told["items"]] == [("0", "6")]


@pytest.mark.parametrize("options", [(), (1,), (1, 2, 3), (1, "yesterday"), (-1, 1)])
def test_a_diff_is_between_two_positions_or_times(cli: Cli, options: tuple[object, ...]) -> None:
    cli("diff", *known_at(*options), status=2)
