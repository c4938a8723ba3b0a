"""Classes of clients over HTTP: the worked example of docs/reference/figures.md."""

from typing import Any

import pytest

from tests.e2e.api import Api, problem, table
from tests.e2e.given import at, client, invoice, payment

SALES = {  # by client: invoiced in January to June
    "C1": ("100.00", "100.00", "100.00", "105.00", "100.00", "105.00"),
    "C2": ("0", "0", "30.00", "20.00", "30.00", "30.00"),
    "C3": ("60.00", "0", "0", "20.00", "0", "0"),
}
QUARTER = "measure=sales&from=2026-04-01&to=2026-06-30"


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    for who, months in SALES.items():
        shared.given(client(who))
        for month, amount in enumerate(months, start=1):
            if amount != "0":
                on = f"2026-{month:02}-10"
                shared.given(invoice(f"{who}-{month}", amount, due=on, client=who, effective_at=at(on)))
    shared.given(payment("Z1", "40.00", client="C2", effective_at=at("2026-05-01")))
    return shared


def classes(book: Api, method: str, *columns: str, more: str = "") -> dict[str, Any]:
    rows = book.rows(f"/v1/clients/classes?method={method}&{QUARTER}{more}")
    return {row["client"]: tuple(row[name] for name in columns) for row in rows}


def test_abc(book: Api) -> None:
    assert classes(book, "abc", "rank", "measure", "share", "share_before", "class") == {
        "C1": (1, "310.00", "0.7561", "0.0000", "A"),
        "C2": (2, "80.00", "0.1951", "0.7561", "A"),
        "C3": (3, "20.00", "0.0488", "0.9512", "C"),
    }
    assert classes(book, "abc", "class", more="&bounds=70,96") == {"C1": ("A",), "C2": ("B",), "C3": ("B",)}


def test_xyz(book: Api) -> None:
    assert classes(book, "xyz", "variation", "class") == {
        "C1": ("0.0228", "X"),
        "C2": ("0.1768", "Y"),
        "C3": ("1.4142", "Z"),
    }


def test_bcg(book: Api) -> None:
    assert classes(book, "bcg", "before", "growth", "share", "class") == {
        "C1": ("300.00", "0.0333", "1.0000", "cash_cow"),
        "C2": ("30.00", "1.6667", "0.2581", "question_mark"),
        "C3": ("60.00", "-0.6667", "0.0645", "dog"),
    }


def test_payments_are_a_measure_too(book: Api) -> None:
    rows = book.rows("/v1/clients/classes?method=abc&measure=payments&from=2026-01-01&to=2026-12-31")
    assert [(row["client"], row["measure"], row["class"], row["currency"]) for row in rows] == [
        ("C2", "40.00", "A", "EUR")
    ]


def test_pages_and_csv_have_the_same_rows(book: Api) -> None:
    path = f"/v1/clients/classes?method=abc&{QUARTER}"
    found, cursor = [], ""
    while cursor is not None:
        page = book.ask(f"{path}&limit=1" + (f"&cursor={cursor}" if cursor else ""))
        found += page["items"]
        cursor = page["next"]
    assert found == book.rows(path)
    rows = table(book.get(f"{path}&format=csv"))
    assert [(row["client"], row["class"]) for row in rows] == [("C1", "A"), ("C2", "A"), ("C3", "C")]


def test_what_was_known_or_was_then_can_be_asked_again(book: Api) -> None:
    assert classes(book, "abc", "measure", more="&as_of=2026-05-09") == {
        "C1": ("105.00",),
        "C2": ("20.00",),
        "C3": ("20.00",),
    }
    assert classes(book, "abc", "measure", more="&known_at=7") == {"C1": ("310.00",)}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [("bounds=95,80", "bounds"), ("bounds=x,80", "bounds"), ("currency=EURO", "currency"), ("method=abcd", "method")],
)
def test_a_bad_parameter_is_refused_by_its_name(book: Api, wrong: str, named: str) -> None:
    known = "" if named == "method" else "method=abc&"
    refusal = problem(book.get(f"/v1/clients/classes?{known}{QUARTER}&{wrong}"), 422, "invalid")
    assert {error.partition(":")[0].partition(".")[0] for error in refusal["errors"]} == {named}


def test_a_period_ends_no_earlier_than_it_begins(book: Api) -> None:
    refusal = problem(
        book.get("/v1/clients/classes?method=abc&measure=sales&from=2026-02-01&to=2026-01-01"), 422, "invalid"
    )
    [error] = refusal["errors"]
    assert "to: " in error
