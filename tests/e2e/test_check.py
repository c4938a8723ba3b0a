"""Read models are held to their invariants from the command line, and in the background of what serves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from infra.postgres.checks import BOOK
from projections import PROJECTIONS
from tests.e2e.api import Api
from tests.e2e.cli import Cli
from tests.e2e.given import client, product, received, warehouse
from tests.e2e.load import eventually
from tests.e2e.serving import Up


@pytest.fixture(scope="module")
def full(make_cli: Callable[[], Cli]) -> Cli:
    """The wholesale company's books."""
    cli = make_cli()
    cli("import", "wholesale", "--new")
    return cli


@pytest.fixture
def few(cli: Cli) -> Cli:
    with cli.served() as api:
        api.given(client("C1"), client("C2"))
        api.ask("/v1/clients")
        api.ask("/v1/clients/C1/timeline")
    return cli


def test_books_that_are_right_pass(full: Cli) -> None:
    done = full("check")
    assert "stock, position 985: 15 invariants, all hold" in done.stdout
    assert "Checking" in done.stderr
    told = full.json("check")
    assert told["violations"] == []
    assert {each["projection"] for each in told["checked"]} == {BOOK, *(each.name for each in PROJECTIONS)}
    assert {each["position"] for each in told["checked"]} == {full.size()}
    assert not any(sum(each["violated"].values()) for each in told["checked"])


def test_what_is_broken_is_told_with_its_cell_and_events(few: Cli) -> None:
    few.execute(f"""UPDATE {few.ledger}_read.client SET facts = facts || '{{"name": "X"}}' WHERE key = 'C2'""")
    said = few("check", status=3).stdout
    assert "clients breaks facts at table client, key C2: card is" in said
    assert "events 2." in said
    [told] = few.json("check", "clients", status=3)["violations"]
    assert (told["invariant"], told["cell"], told["positions"]) == ("facts", {"table": "client", "key": "C2"}, [2])
    assert told["sentence"] in said
    assert few.json("check", "stock")["violations"] == []


def test_books_that_are_right_are_what_comes_out_of_the_events(full: Cli) -> None:
    done = full("check", "--rebuild")
    assert "stock, position 985: 16 invariants, all hold" in done.stdout
    assert "Folding again" in done.stderr


def test_what_is_missing_altogether_only_the_events_tell(few: Cli) -> None:
    assert few.json("check", "timeline", "--rebuild")["violations"] == []
    few.execute(f"DELETE FROM {few.ledger}_read.timeline WHERE client = 'C2'")
    few("check", "timeline")
    told = few.json("check", "timeline", "--rebuild", status=3)
    assert [each["violated"]["rebuilt"] for each in told["checked"]] == [1]
    [violation] = told["violations"]
    cell = {"table": "timeline", "position": 2, "line": 0}
    assert (violation["invariant"], violation["cell"], violation["positions"]) == ("rebuilt", cell, [2])
    assert violation["found"] is None
    assert "C2" in violation["expected"]
    assert "timeline breaks rebuilt" in few("check", "timeline", "--rebuild", status=3).stdout


def test_a_rebuild_that_was_broken_off_is_no_obstacle(few: Cli) -> None:
    few.execute(f"UPDATE {few.ledger}_read.timeline SET client = 'C3' WHERE client = 'C2'")
    few("rebuild", "timeline", status=3)
    few("check", "timeline", "--rebuild", status=3)
    assert {each["state"] for each in few.json("generations", "list")["items"]} == {"current", "refused"}


def test_nothing_is_found_while_everything_runs(cli: Cli) -> None:
    with cli.served() as api:
        api.given(product(), warehouse())
        stopped, written = Event(), 0

        def write() -> None:
            nonlocal written
            while not stopped.is_set():
                api.given(received("1", on="2026-05-01"), client(f"C{written}"))
                written += 1

        thread = Thread(target=write)
        thread.start()
        try:
            reports = [cli.json("check", "--rebuild") for _ in range(3)]
        finally:
            stopped.set()
            thread.join()
    assert [report["violations"] for report in reports] == [[], [], []]
    assert written > 3


@pytest.fixture
def checked(few: Cli, tmp_path: Path) -> Iterator[Api]:
    up = Up(log=tmp_path / "log", env={**few.env, "GROSSBUCH_CHECK_EVERY_S": "0.2"}, how="serve")
    with up.start() as api:
        yield api
    assert up.stop() == 0


def test_servers_check_in_the_background_and_show_what_they_find(few: Cli, checked: Api) -> None:
    def shows(line: str) -> bool:
        return f"\n{line}\n" in checked.http.get("/metrics").text

    facts = 'grossbuch_check_violations{invariant="facts",projection="clients"}'
    eventually(lambda: shows(f"{facts} 0.0"))
    eventually(lambda: not shows("grossbuch_checked_at 0.0"))
    few.execute(f"UPDATE {few.ledger}_read.client SET facts = '{{}}'")
    eventually(lambda: shows(f"{facts} 2.0"))
    assert shows('grossbuch_check_violations{invariant="events",projection="clients"} 0.0')
    few.execute(f"DELETE FROM {few.ledger}_read.timeline WHERE client = 'C2'")
    eventually(lambda: shows('grossbuch_check_violations{invariant="rebuilt",projection="timeline"} 1.0'))
