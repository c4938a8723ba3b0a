"""Real trade through the ledger: the books show what the data adds up to, however often and however interrupted."""

import json
import signal
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from infra.sources.cdnow import Cdnow
from infra.sources.completejourney import CompleteJourney
from infra.sources.source import Source, Totals
from infra.sources.wholesale import Wholesale
from tests.e2e.api import Api
from tests.e2e.cli import Cli
from tests.e2e.given import client, product

SOURCES: dict[tuple[str, ...], Source] = {
    ("wholesale",): Wholesale(),
    ("cdnow", "--limit", "2000"): Cdnow(2000),
    ("completejourney", "--weeks", "1"): CompleteJourney(1),
}
EVER = "from=1990-01-01&to=2099-12-31&limit=100000"


@pytest.mark.parametrize("arguments", SOURCES, ids=lambda arguments: arguments[0])
def test_an_imported_source_adds_up_to_its_own_totals_and_a_second_import_adds_nothing(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    source = SOURCES[arguments]
    count = source.count()
    done = cli.json("import", *arguments, "--new")
    assert done == {"source": source.name, "accepted": count, "known": 0, "refused": 0}
    again = cli.json("import", *arguments)
    assert again == {"source": source.name, "accepted": 0, "known": count, "refused": 0}
    with cli.served() as api:
        assert added_up(api, like=source.totals()) == source.totals()


def test_an_import_that_was_killed_is_resumed_as_if_it_had_not_been(cli: Cli) -> None:
    source = SOURCES[("completejourney", "--weeks", "1")]
    importing = cli.start("import", "completejourney", "--weeks", "1", "--new")
    while cli.size() < 3_000:
        assert importing.poll() is None
        sleep(0.05)
    importing.send_signal(signal.SIGKILL)
    importing.wait()
    done = cli.json("import", "completejourney", "--weeks", "1")
    assert done["known"] >= 3_000
    assert done["accepted"] + done["known"] == source.count()
    with cli.served() as api:
        assert added_up(api, like=source.totals()) == source.totals()


def test_debts_of_the_wholesale_company_are_as_old_as_its_books_say(cli: Cli) -> None:
    cli("import", "wholesale", "--new")
    with cli.served() as api:
        rows = api.rows("/v1/receivables/ageing?as_of=2017-03-31&limit=1000")
    ageing = Wholesale().totals().ageing
    assert {name: total(rows, name) for name in ageing} == ageing


class TestAFileOfCommands:
    LINES = (
        json.dumps(client("C1", command_id="k1")),
        "{nonsense",
        "",
        json.dumps({"type": "no.such"}),
        json.dumps(client("C2", nickname="Anni")),
        json.dumps(client("C1", command_id="k2")),
        json.dumps(product("P1", command_id="k3")),
    )

    def test_with_bad_lines_has_the_good_ones_taken_and_the_bad_told(self, cli: Cli, tmp_path: Path) -> None:
        file = tmp_path / "commands.ndjson"
        file.write_text("\n".join(self.LINES))
        done = cli("import", str(file), "--new", "--json", status=1)
        assert json.loads(done.stdout) == {"source": str(file), "accepted": 2, "known": 0, "refused": 4}
        for told in ("Line 2: This is not JSON", "unknown_command", "nickname", "already_exists"):
            assert told in done.stderr
        with cli.served() as api:
            assert [row["client"] for row in api.rows("/v1/clients")] == ["C1"]
            assert [row["product"] for row in api.rows("/v1/products")] == ["P1"]

    def test_comes_from_standard_input_too_and_again_adds_nothing(self, cli: Cli) -> None:
        good = "\n".join([self.LINES[0], self.LINES[-1]])
        assert cli.json("import", "-", "--new", input=good)["accepted"] == 2
        assert cli.json("import", "-", input=good)["known"] == 2

    def test_tells_a_person_the_outcome_in_words(self, cli: Cli) -> None:
        assert "1 accepted, 0 known, 0 refused" in cli("import", "-", "--new", input=self.LINES[0]).stderr


def added_up(api: Api, *, like: Totals) -> Totals:
    """The totals that the read models and the events show; what neither tells is taken from the others."""
    turnovers = api.rows(f"/v1/stock/turnovers?{EVER}&group_by=product,warehouse")
    ageing = api.rows("/v1/receivables/ageing?as_of=2099-12-31&limit=100000")
    events = api.events()
    count = Counter(event["type"] for event in events)
    amount = {type: sum_of(events, type, "amount") for type in ("invoice.issued", "payment.received")}
    written_off = sum_of(events, "stock.written_off", "quantity")
    assert total(ageing, "balance") == amount["invoice.issued"] - amount["payment.received"]
    assert total(turnovers, "closing") == total(turnovers, "received") - total(turnovers, "issued")
    funnels = [
        api.ask(f"/v1/funnel/snapshot?pipeline={row['pipeline']}&as_of=2099-12-31") for row in api.rows("/v1/pipelines")
    ]
    won, lost = (sum(funnel[outcome]["deals"] for funnel in funnels) for outcome in ("won", "lost"))
    return Totals(
        currency=next((row["currency"] for row in ageing), like.currency),
        lines=like.lines,
        clients=len(api.rows("/v1/clients?limit=100000")),
        products=len(api.rows("/v1/products?limit=100000")),
        warehouses=len(api.rows("/v1/warehouses?limit=100000")),
        received=total(turnovers, "received"),
        shipments=count["stock.shipped"],
        units=total(turnovers, "issued") - written_off,
        invoices=count["invoice.issued"],
        amount=amount["invoice.issued"],
        payments=count["payment.received"],
        paid=amount["payment.received"],
        written_off=written_off,
        unapplied=-total(ageing, "unapplied"),
        deals=won + lost + sum(stage["deals"] for funnel in funnels for stage in funnel["stages"]),
        won=won,
        lost=lost,
        left_out=like.left_out,
        ageing=like.ageing,
    )


def total(rows: Sequence[dict[str, Any]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def sum_of(events: Sequence[dict[str, Any]], type: str, field: str) -> Decimal:
    return total([event["payload"] for event in events if event["type"] == type], field)
