"""How a figure is named: by the address of its query, and by where it is in the answer."""

from datetime import date
from decimal import Decimal

import pytest

from api.explaining import read_figure
from domain.refusal import Refusal
from projections.explanation import Cell, Explanation, Facts


def test_an_address_is_read_as_a_route_reads_it() -> None:
    figure = read_figure("/v1/stock/balances?product=P%2D1&group_by=product,lot&as_of=2026-05-31&known_at=7")
    assert figure.query.path == "/v1/stock/balances"
    given = figure.given.model_dump()
    assert (given["product"], given["group_by"]) == ("P-1", ["product", "lot"])
    assert (given["as_of"], given["known_at"]) == (date(2026, 5, 31), 7)
    assert figure.narrowing == {}


def test_the_first_path_that_fits_is_taken() -> None:
    assert (
        read_figure("/v1/clients/classes?method=abc&measure=sales&from=2026-05-01&to=2026-05-31").query.sql == "classes"
    )
    figure = read_figure("/v1/clients/%D0%90%D0%BD%D0%BD%D0%B0")
    assert (figure.query.path, figure.given.model_dump()["client"]) == ("/v1/clients/{client}", "Анна")


def test_what_a_row_is_of_narrows_it_if_it_is_no_parameter_or_empty() -> None:
    figure = read_figure("/v1/funnel/losses?pipeline=p&closed_from=2026-05-01&closed_to=2026-05-31&stage=a&reason=a+b")
    assert figure.narrowing == {"stage": "a", "reason": "a b"}
    assert read_figure("/v1/stock/balances?product=P1&lot=").narrowing == {"lot": None}


def test_how_a_list_is_shown_does_not_matter() -> None:
    figure = read_figure("http://localhost:8420/v1/stock/balances?limit=1&cursor=x&format=csv")
    assert (figure.given, figure.narrowing) == (read_figure("/v1/stock/balances").given, {})


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/v1/stock",
        "/v1/stock/balances/P1",
        "/v1/stock/balances?colour=red",
        "/v1/stock/balances?group_by=colour",
        "/v1/stock/balances?as_of=yesterday",
        "/v1/stock/balances?product=%00",
        "/v1/stock/movements",
        "//[",
    ],
)
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_figure(address)
    assert (refused.value.code, refused.value.facts["field"]) == ("invalid", "figure")


SNAPSHOT = {
    "pipeline": "p",
    "owner": "anna",
    "stages": [{"stage": "a.b", "name": "A", "deals": 2, "amount": Decimal(5)}],
    "won": {"deals": 1, "amount": Decimal(3)},
    "weighted": Decimal(1),
}


def test_figures_are_named_by_where_they_are_and_told_apart_by_their_keys() -> None:
    explanation = Explanation(keys=("owner", "source"), within="stage", sums=("deals", "amount", "weighted"))
    assert explanation.cells(SNAPSHOT) == {
        "stages.a.b.deals": Cell("deals", 2, {"owner": "anna", "stage": "a.b"}),
        "stages.a.b.amount": Cell("amount", Decimal(5), {"owner": "anna", "stage": "a.b"}),
        "won.deals": Cell("deals", 1, {"owner": "anna", "stage": "won"}),
        "won.amount": Cell("amount", Decimal(3), {"owner": "anna", "stage": "won"}),
        "weighted": Cell("weighted", Decimal(1), {"owner": "anna"}),
    }


def test_what_has_no_name_in_a_list_has_its_number() -> None:
    cells = Explanation(within="entry", sums=("debit",)).cells({"entries": [{"debit": 1}, {"debit": 2}]})
    assert cells == {f"entries.{n}.debit": Cell("debit", n, {"entry": n}) for n in (1, 2)}


def test_a_sum_is_its_own_part() -> None:
    explanation = Explanation(sums=("won",), ratios={"rate": ("won", "closed")})
    assert [explanation.parts(figure) for figure in ("won", "rate")] == [("won",), ("won", "closed")]


def test_every_fact_of_a_card_is_a_cell_and_nothing_else_of_it() -> None:
    card = {"product": "P1", "facts": {"name": "Lamp", "attributes": {"colour": "red"}}, "position": 7}
    cells = Facts(keys=("product",)).cells(card)
    assert {name: (cell.value, cell.key) for name, cell in cells.items()} == {
        "name": ("Lamp", {"product": "P1", "fact": ["name"]}),
        "attributes.colour": ("red", {"product": "P1", "fact": ["attributes", "colour"]}),
    }
