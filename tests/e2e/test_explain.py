"""From a figure to the events behind it: over HTTP, in CSV and on the command line."""

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest

from projections import QUERIES
from tests.e2e.api import Api, problem, table
from tests.e2e.cli import Cli
from tests.e2e.conftest import served
from tests.e2e.given import (
    client,
    deal,
    estimated,
    invoice,
    lost,
    moved,
    payment,
    pipeline,
    product,
    received,
    shipped,
    touched,
    warehouse,
    won,
)
from tests.e2e.test_queries import IDS, TOLD

BALANCE = "/v1/stock/balances?product=P1&warehouse=W1"


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    """A little of everything."""
    shared.given(client(), pipeline("sales", "free", "A", "B"), deal("X", "sales", "100.00", on="2026-05-01"))
    shared.given(estimated("X", "120.00", on="2026-05-02"), moved("X", "B", on="2026-05-03"))
    shared.given(deal("Y", "sales", "50.00", on="2026-05-01"), won("Y", on="2026-05-04"))
    shared.given(product(), product("P2"), warehouse(), warehouse("W2"))
    shared.given(received("4", on="2026-05-01"), received("9", on="2026-05-01", product="P2"))
    shared.given(shipped("3", on="2026-05-05"), received("2", on="2026-05-03", warehouse="W2"))
    shared.given(invoice("I1", "300.00", due="2026-06-10", effective_at="2026-05-10T12:00:00Z"))
    paid = [{"invoice": "I1", "amount": "100.00"}]
    shared.given(payment("Z1", "150.00", allocate=paid, effective_at="2026-06-12T12:00:00Z"))
    return shared


def address(figure: str, cell: str) -> str:
    return f"/v1/audit/explain?figure={quote(figure, safe='')}&cell={quote(cell, safe='')}"


def explained(book: Api, figure: str, cell: str) -> Any:
    return book.ask(address(figure, cell))


def contributions(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(item["type"], item["contribution"]) for item in found["items"]]


def test_a_balance_is_explained_by_the_movements_of_its_product_and_warehouse(book: Api) -> None:
    found = explained(book, BALANCE, "on_hand")
    assert (found["value"], found["next"]) == ("1", None)
    assert contributions(found) == [("stock.received", "4"), ("stock.shipped", "-3")]
    assert "parts" not in found
    [event] = [event for event in book.events() if event["type"] == "stock.shipped"]
    names = ("position", "type", "stream", "effective_at", "recorded_at")
    assert found["items"][1] == {
        **{name: event[name] for name in names},
        "actor": event["metadata"].get("actor"),
        "contribution": "-3",
    }
    assert found["meta"] == book.ask(BALANCE)["meta"] | {"as_of": found["meta"]["as_of"]}


def test_the_moment_is_the_figure_s(book: Api) -> None:
    assert contributions(explained(book, f"{BALANCE}&as_of=2026-05-04", "on_hand")) == [("stock.received", "4")]
    shipped_at = explained(book, BALANCE, "on_hand")["items"][1]["position"]
    found = explained(book, f"{BALANCE}&known_at={shipped_at - 1}", "on_hand")
    assert (found["value"], contributions(found)) == ("4", [("stock.received", "4")])
    assert found["meta"]["known_at"] == shipped_at - 1


def test_an_old_debt_is_explained_by_what_is_open_in_its_bucket(book: Api) -> None:
    ageing = "/v1/receivables/ageing?client=C1&as_of=2026-07-11"
    assert contributions(explained(book, ageing, "d31_60")) == [
        ("invoice.issued", "300.00"),
        ("payment.allocated", "-100.00"),
    ]
    assert contributions(explained(book, ageing, "unapplied")) == [
        ("payment.received", "-150.00"),
        ("payment.allocated", "100.00"),
    ]
    balance = explained(book, ageing, "balance")
    assert (balance["value"], contributions(balance)) == (
        "150.00",
        [("invoice.issued", "300.00"), ("payment.received", "-150.00")],
    )
    assert explained(book, ageing, "over_90")["items"] == []


def test_a_deal_stands_where_a_move_put_it_and_is_worth_what_was_last_said(book: Api) -> None:
    snapshot = "/v1/funnel/snapshot?pipeline=sales"
    assert contributions(explained(book, snapshot, "stages.B.deals")) == [("deal.moved", 1)]
    assert contributions(explained(book, snapshot, "stages.B.amount")) == [("deal.estimated", "120.00")]
    assert contributions(explained(book, snapshot, "won.amount")) == [("deal.opened", "50.00")]
    weighted = explained(book, snapshot, "weighted")
    assert Decimal(weighted["value"]) == sum(Decimal(amount) for _, amount in contributions(weighted)) == 60
    assert explained(book, snapshot, "stages.A.deals")["items"] == []


def test_a_list_goes_on_in_pages_that_add_up(book: Api) -> None:
    figure = address("/v1/stock/balances?group_by=product&product=P1", "on_hand")
    first = book.ask(f"{figure}&limit=2")
    rest = book.ask(f"{figure}&limit=2&cursor={first['next']}")
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [2, 1, None]
    assert first["value"] == rest["value"] == "3"
    assert sum(Decimal(amount) for _, amount in [*contributions(first), *contributions(rest)]) == 3
    for cursor in ("x", "WyIxeCIsIiJd", "WyItMSIsIiJd", book.ask("/v1/products?limit=1")["next"]):
        problem(book.get(f"{figure}&cursor={cursor}"), 422, "invalid")


def test_it_comes_as_csv(book: Api) -> None:
    found = explained(book, BALANCE, "available")
    for answer in (
        book.get(address(BALANCE, "available") + "&format=csv"),
        book.get(address(BALANCE, "available"), headers={"Accept": "text/csv"}),
    ):
        rows = table(answer)
        assert list(rows[0]) == ["position", "type", "stream", "effective_at", "recorded_at", "actor", "contribution"]
        assert [row["contribution"] for row in rows] == [item["contribution"] for item in found["items"]]
        assert answer.headers["grossbuch-value"] == "1"
        assert answer.headers["grossbuch-known-at"] == str(book.written)


def test_a_figure_is_one_of_one_row(book: Api) -> None:
    facts = problem(book.get(address("/v1/stock/balances?product=P1", "on_hand")), 422, "invalid")
    assert (facts["rows"], facts["narrow_by"]) == (2, ["warehouse"])
    assert "warehouse" in facts["detail"]
    facts = problem(book.get(address("/v1/stock/balances?product=P1&lot=none", "on_hand")), 422, "invalid")
    assert (facts["rows"], facts["narrow_by"]) == (0, [])


def test_a_row_is_found_by_what_it_is_of_even_if_that_is_nothing(book: Api) -> None:
    assert explained(book, f"{BALANCE}&lot=", "on_hand")["value"] == "1"
    facts = problem(book.get(address("/v1/stock/balances?product=P1&lot=", "on_hand")), 422, "invalid")
    assert (facts["rows"], facts["narrow_by"]) == (2, ["warehouse"])


@pytest.mark.parametrize(
    ("figure", "named"),
    [
        ("/v1/nothing", "explained"),
        ("", "explained"),
        ("http://[", None),
        ("/v1/stock/movements?product=P1", "explained"),
        ("/v1/stock/restatements", "explained"),
        ("/v1/clients/C1/timeline", "explained"),
        (f"{BALANCE}&asof=2026-05-01", "errors"),
        (f"{BALANCE}&as_of=yesterday", "errors"),
        ("/v1/funnel/snapshot", "errors"),
        ("/v1/funnel/snapshot?pipeline=sales&owner=anna", None),
        ("/v1/receivables/open-items?due_on=never", None),
        (f"{BALANCE}%00", None),
    ],
)
def test_a_figure_that_means_nothing_is_refused(book: Api, figure: str, named: str | None) -> None:
    facts = problem(book.get(address(figure, "on_hand")), 422, "invalid")
    assert facts["field"] == "figure"
    assert named is None or facts[named]


@pytest.mark.parametrize("cell", ["onhand", "product", "warehouse", "", "on_hand.x", "stages.A.deals"])
def test_a_cell_that_is_no_figure_is_refused_with_those_that_are(book: Api, cell: str) -> None:
    facts = problem(book.get(address(BALANCE, cell)), 422, "invalid")
    assert facts["cells"] == ["on_hand", "reserved", "available", "in_transit", "incoming", "forecast"]


def test_cells_of_an_answer_are_named_by_where_they_are(book: Api) -> None:
    facts = problem(book.get(address("/v1/funnel/snapshot?pipeline=sales", "name")), 422, "invalid")
    standing = [
        f"{place}.{figure}" for place in ("won", "lost", "stages.A", "stages.B") for figure in ("deals", "amount")
    ]
    assert facts["cells"] == ["weighted", *standing]


def test_an_entry_of_a_statement_is_explained_by_its_number(book: Api) -> None:
    statement = "/v1/receivables/statement?client=C1&from=2026-06-01&to=2026-06-30"
    assert contributions(explained(book, statement, "opening")) == [("invoice.issued", "300.00")]
    assert contributions(explained(book, statement, "entries.1.credit")) == [("payment.received", "150.00")]
    assert contributions(explained(book, statement, "closing")) == [
        ("invoice.issued", "300.00"),
        ("payment.received", "-150.00"),
    ]
    facts = problem(book.get(address(statement, "entries.2.credit")), 422, "invalid")
    assert facts["cells"][:4] == ["opening", "debits", "credits", "closing"]


def test_what_is_not_there_is_not_found(book: Api) -> None:
    problem(book.get(address("/v1/funnel/snapshot?pipeline=none", "weighted")), 404, "not_found")


@pytest.mark.parametrize("bad", ["limit=0", "limit=x", "format=xml", "as_of=2026-05-01", "min_position=-1"])
def test_a_parameter_that_means_nothing_is_refused(book: Api, bad: str) -> None:
    problem(book.http.get(f"{address(BALANCE, 'on_hand')}&{bad}"), 422, "invalid")


def test_it_waits_for_what_was_just_written(api: Api) -> None:
    api.given(product(), warehouse())
    for number in range(1, 20):
        api.given(received("1", on="2026-05-01"))
        assert explained(api, BALANCE, "on_hand")["value"] == str(number)


@pytest.fixture
def entered(cli: Cli) -> Cli:
    with cli.served() as api:
        api.given(product(), warehouse(), received("4", on="2026-05-01"), shipped("3", on="2026-05-05"))
        api.ask("/v1/stock/balances")
    return cli


def test_the_command_line_shows_a_running_total_and_that_it_adds_up(entered: Cli) -> None:
    shown = entered("explain", BALANCE, "on_hand").stdout
    for words in (("2026-05-01", "stock.received", "4", "4"), ("2026-05-05", "stock.shipped", "-3", "1")):
        [line] = [line for line in shown.splitlines() if words[0] in line]
        assert [cell for cell in line.replace("│", " ").split() if cell in words] == list(words)
    assert "on_hand is 1: 2 contributions add up to it exactly." in shown


def test_the_command_line_gives_csv_and_json(entered: Cli) -> None:
    rows = list(csv.DictReader(StringIO(entered("explain", BALANCE, "on_hand", "--csv").stdout)))
    assert [row["contribution"] for row in rows] == ["4", "-3"]
    found = entered.json("explain", BALANCE, "on_hand")
    assert (found["value"], [item["contribution"] for item in found["items"]]) == ("1", ["4", "-3"])


def test_the_command_line_says_when_they_do_not_add_up(entered: Cli) -> None:
    entered.execute(f"UPDATE {entered.ledger}_read.stock_balance SET on_hand = on_hand + 1")
    shown = entered("explain", BALANCE, "on_hand", status=3).stdout
    assert "on_hand is 2, and 2 contributions add up to 1: run `grossbuch check`." in shown


def test_the_command_line_says_what_is_wrong_in_one_line(entered: Cli) -> None:
    assert "there are on_hand, reserved" in entered("explain", BALANCE, "onhand", status=1).stderr
    assert "there is no query at /v1/nothing" in entered("explain", "/v1/nothing", "on_hand", status=1).stderr
    assert (
        "There is no pipeline x." in entered("explain", "/v1/funnel/snapshot?pipeline=x", "weighted", status=1).stderr
    )


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.path)
def test_every_query_is_explained_or_says_why_not(book: Api, query: Any) -> None:
    path = query.path.format(**IDS) + TOLD.get(query.path, "")
    facts = problem(book.get(address(path, "nothing")), 422, "invalid")
    assert facts["field"] in ("figure", "cell")


class TestTheFunnel:
    """Positions, which no sum can tell right from wrong: each figure by the event that made it what it is."""

    @pytest.fixture(scope="class")
    @classmethod
    def funnel(cls, dsn: str) -> Iterator[Api]:
        """X went from A to B and was won for 120; Y was lost for its price, 50; Z stands in B."""
        with served(dsn) as api:
            api.given(
                client(), pipeline("sales", "free", "A", "B"), touched("C1", "call", on="2026-04-30", interaction="T1")
            )
            for id, amount in (("X", "100.00"), ("Y", "50.00"), ("Z", "10.00")):
                api.given(deal(id, "sales", amount, on="2026-05-01"))
            api.given(moved("X", "B", on="2026-05-03"), moved("Z", "B", on="2026-05-06"))
            api.given(estimated("X", "120.00", on="2026-05-04"), won("X", on="2026-05-05"))
            api.given(lost("Y", "price", on="2026-05-04"))
            yield api

    @pytest.mark.parametrize(
        ("figure", "cell", "events"),
        [
            ("snapshot?", "lost.amount", ["deal.opened Y 50.00"]),
            ("snapshot?", "stages.B.deals", ["deal.moved Z 1"]),
            ("cohort?opened_from=2026-05-01&opened_to=2026-05-31", "opened", [f"deal.opened {id} 1" for id in "XYZ"]),
            (
                "cohort?opened_from=2026-05-01&opened_to=2026-05-31",
                "stages.B.reached",
                ["deal.moved X 1", "deal.moved Z 1"],
            ),
            ("cohort?opened_from=2026-05-01&opened_to=2026-05-31", "won", ["deal.won X 1"]),
            ("cohort?opened_from=2026-05-01&opened_to=2026-05-31", "open", ["deal.moved Z 1"]),
            ("win-rate?closed_from=2026-05-01&closed_to=2026-05-31", "lost", ["deal.lost Y 1"]),
            (
                "win-rate?closed_from=2026-05-01&closed_to=2026-05-31",
                "rate",
                ["deal.won X closed 1", "deal.won X won 1", "deal.lost Y closed 1"],
            ),
            ("losses?closed_from=2026-05-01&closed_to=2026-05-31&stage=A&reason=price", "deals", ["deal.lost Y 1"]),
            ("losses?closed_from=2026-05-01&closed_to=2026-05-31", "amount", ["deal.opened Y 50.00"]),
            ("transitions?from=A&to=B", "deals", ["deal.moved X 1", "deal.moved Z 1"]),
            ("durations?stage=B", "visits", ["deal.won X 1"]),
            ("durations?stage=B", "open_visits", ["deal.moved Z 1"]),
            ("durations?stage=B", "median_days", ["deal.won X seconds 172800"]),
            ("cycle?closed_from=2026-05-01&closed_to=2026-05-31", "won.deals", ["deal.won X 1"]),
            ("attribution?closed_from=2026-05-01&closed_to=2026-05-31&source=call", "deals", ["deal.won X 1"]),
            (
                "attribution?closed_from=2026-05-01&closed_to=2026-05-31&source=call",
                "amount",
                ["interaction.logged T1 120.00"],
            ),
        ],
    )
    def test_a_figure_is_made_by_events(self, funnel: Api, figure: str, cell: str, events: list[str]) -> None:
        found = explained(funnel, f"/v1/funnel/{figure}&pipeline=sales", cell)
        told = [
            " ".join(
                str(word)
                for word in (
                    item["type"],
                    item["stream"].partition("-")[2],
                    item.get("part"),
                    item["contribution"],
                )
                if word is not None
            )
            for item in found["items"]
        ]
        assert told == events


def test_how_steadily_a_client_buys_is_told_month_by_month(book: Api) -> None:
    classes = "/v1/clients/classes?method=xyz&measure=sales&from=2026-04-15&to=2026-06-30"
    found = explained(book, f"{classes}&client=C1", "variation")
    assert found["parts"] == {"measure 2026-04": "0", "measure 2026-05": "300.00", "measure 2026-06": "0"}
    assert [(item["part"], item["contribution"]) for item in found["items"]] == [("measure 2026-05", "300.00")]


def test_a_group_is_a_row_of_its_own(api: Api) -> None:
    api.given(client(), pipeline("sales", "free", "A"))
    api.given(deal("X", "sales", "7.00", on="2026-05-01", owner="anna"), deal("Y", "sales", "5.00", on="2026-05-01"))
    grouped = "/v1/funnel/snapshot?pipeline=sales&group_by=owner"
    facts = problem(api.get(address(grouped, "weighted")), 422, "invalid")
    assert (facts["rows"], facts["narrow_by"]) == (2, ["owner"])
    assert explained(api, f"{grouped}&owner=anna", "stages.A.amount")["value"] == "7.00"
    assert explained(api, f"{grouped}&owner=", "stages.A.amount")["value"] == "5.00"
    problem(api.get(address(f"{grouped}&owner=boris", "weighted")), 422, "invalid")


def test_a_fact_of_a_card_is_explained_by_the_event_that_told_it_last(api: Api) -> None:
    api.given(client(attributes={"size": "small", "branch": "retail"}), client("C2"))
    api.given({"type": "client.change", "client": "C1", "attributes": {"size": "big"}})
    api.given({"type": "client.add_counterparty", "client": "C1", "counterparty": "K1", "name": "Anna Süd"})
    for figure in ("/v1/clients/C1", "/v1/clients?client=C1"):
        facts = {
            "name": ("client.registered", "Anna Schmidt GmbH"),
            "attributes.size": ("client.changed", "big"),
            "attributes.branch": ("client.registered", "retail"),
            "counterparties.K1.name": ("client.counterparty_added", "Anna Süd"),
        }
        for cell, (event, fact) in facts.items():
            found = explained(api, figure, cell)
            assert (found["value"], contributions(found)) == (fact, [(event, fact)])
    size = explained(api, "/v1/clients/C1?known_at=2", "attributes.size")
    assert (size["value"], contributions(size)) == ("small", [("client.registered", "small")])
    rows = table(api.get(address("/v1/clients/C1", "counterparties.K1.name") + "&format=csv"))
    assert [row["contribution"] for row in rows] == ["Anna Süd"]
    retired = explained(api, "/v1/clients/C1", "counterparties.K1.retired_on")
    assert (retired["value"], contributions(retired)) == (None, [("client.counterparty_added", None)])
    facts = problem(api.get(address("/v1/clients/C1", "client")), 422, "invalid")
    assert "attributes.size" in facts["cells"]
    problem(api.get(address("/v1/clients/none", "name")), 404, "not_found")


def test_an_id_with_a_dot_is_not_taken_for_a_fact_of_another(api: Api) -> None:
    api.given(client())
    for counterparty, name in (("K1", "Anna Süd"), ("K1.name", "Anna Nord")):
        api.given({"type": "client.add_counterparty", "client": "C1", "counterparty": counterparty, "name": name})
        found = explained(api, "/v1/clients/C1", f"counterparties.{counterparty}.name")
        assert (found["value"], contributions(found)) == (name, [("client.counterparty_added", name)])
    found = explained(api, "/v1/clients/C1", "counterparties.K1.name")
    assert contributions(found) == [("client.counterparty_added", "Anna Süd")]


def test_what_looks_like_markup_is_shown_as_it_is(cli: Cli) -> None:
    with cli.served() as api:
        api.given(client(name="Anna [/b] [red]"))
        api.ask("/v1/clients")
    shown = cli("explain", "/v1/clients?client=C1&search=[/b]", "name").stdout
    assert "name of /v1/clients?client=C1&search=[/b]" in shown
    assert "│ Anna [/b] [red] │" in shown


def test_a_fact_of_a_card_is_shown_on_the_command_line(entered: Cli) -> None:
    shown = entered("explain", "/v1/products/P1", "costing").stdout
    assert "product.registered" in shown
    assert "costing is fifo." in shown
    assert "scale is 0." in entered("explain", "/v1/products/P1", "scale").stdout
    assert "expires is false." in entered("explain", "/v1/products?product=P1", "expires").stdout
    shown = entered("explain", "/v1/receivables/dso?from=2026-05-01&to=2026-05-31", "dso_net").stdout
    assert "dso_net is none: it is no sum, and made of balance 0, sales 0." in shown
