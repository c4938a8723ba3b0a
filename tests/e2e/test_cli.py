"""The command line: export, rebuild, and what goes wrong told in one line."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.openapi import VERSION
from projections import PROJECTIONS
from tests.e2e.cli import Cli, run
from tests.e2e.given import client, product, received, warehouse
from tests.e2e.serving import Up


@pytest.fixture(scope="module")
def full(make_cli: Callable[[], Cli]) -> Cli:
    """The wholesale company's books."""
    cli = make_cli()
    cli("import", "wholesale", "--new")
    return cli


class TestExport:
    def test_gives_every_event_once_in_order_as_the_audit_does(self, full: Cli, tmp_path: Path) -> None:
        done = full.json("export", str(tmp_path / "events"))
        lines = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
        assert done == {"file": str(tmp_path / "events"), "events": len(lines), "log_size": len(lines)}
        with full.served() as api:
            assert lines == api.events()
        assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))

    def test_goes_to_standard_output_and_goes_on_after_a_position(self, full: Cli) -> None:
        whole = full("export").stdout.splitlines()
        assert full("export", "--after", "900").stdout.splitlines() == whole[900:]
        assert full("export", "--after", "100000").stdout == ""

    def test_of_what_was_exported_is_the_same_again(self, full: Cli) -> None:
        assert full("export").stdout == full("export").stdout


class TestRebuild:
    def test_gives_the_same_rows(self, full: Cli) -> None:
        before = full.read_models()
        assert sum(map(len, before.values())) > 1_000
        done = full.json("rebuild", "--all")
        assert done["rebuilt"] == sorted(projection.name for projection in PROJECTIONS)
        assert done["events"] == full.size()
        assert full.read_models() == before

    def test_of_one_projection_leaves_the_others_alone(self, full: Cli) -> None:
        before = full.read_models()
        assert full.json("rebuild", "stock")["rebuilt"] == ["stock"]
        assert full.read_models() == before


class TestBesideARunningServer:
    @pytest.fixture
    def up(self, directory: Path, tmp_path: Path) -> Iterator[Up]:
        up = Up("--data", str(directory), log=tmp_path / "log")
        yield up
        up.stop()

    def test_the_same_directory_can_be_imported_into_rebuilt_and_exported(self, up: Up, directory: Path) -> None:
        data = ("--data", str(directory))
        with up.start() as api:
            api.given(client(), product(), warehouse(), received("3", on="2026-05-01"))
            lines = json.dumps(received("4", on="2026-05-01", command_id="k"))
            assert json.loads(run("import", "-", *data, "--json", input=lines).stdout)["accepted"] == 1
            run("rebuild", "--all", *data)
            api.given(received("5", on="2026-05-01"))
            exported = [json.loads(line) for line in run("export", *data).stdout.splitlines()]
            assert exported == api.events()
            assert api.rows("/v1/stock/balances")[0]["on_hand"] == "12"


def test_it_tells_which_release_it_is() -> None:
    assert run("--version").stdout == f"grossbuch {VERSION}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("import",),
        ("import", "no-such-file.ndjson"),
        ("import", "completejourney", "--weeks", "0"),
        ("import", "cdnow", "--limit", "some"),
        ("export", "--after", "-1"),
        ("rebuild",),
        ("rebuild", "no-such-projection"),
        ("up", "--port", "70000"),
        ("up", "--no-such-option"),
    ],
)
def test_wrong_use_exits_with_2_and_says_how(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert "Usage" in cli(*arguments, status=2).stderr
    assert cli.size() == 0


@pytest.mark.parametrize(
    ("name", "value"), [("TIME_ZONE", "Mars/Olympus"), ("BOOK_CURRENCY", "EURO"), ("PORT", "x"), ("LOG_LEVEL", "loud")]
)
def test_a_setting_that_means_nothing_exits_with_2_and_is_named(dsn: str, name: str, value: str) -> None:
    done = run("export", status=2, env={"DATABASE_URL": dsn, f"GROSSBUCH_{name}": value})
    assert f"GROSSBUCH_{name}" in done.stderr


def one_line(stderr: str, *words: str) -> None:
    """The last one; before it nothing but which book it is."""
    *before, line = stderr.strip().splitlines()
    assert all(told.startswith("The book in ") for told in before), stderr
    assert line.startswith("grossbuch: ")
    assert all(word in line for word in words), line


def test_a_port_in_use_is_told_in_one_line(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        one_line(cli("up", "--port", port, status=1).stderr, port, "in use")


def test_a_directory_that_cannot_be_written_is_told_in_one_line(directory: Path) -> None:
    one_line(run("up", "--data", "/proc/book", status=1).stderr, "/proc/book")
    file = directory / "file"
    file.touch()
    one_line(run("export", "--data", str(file), status=1).stderr, str(file))
    one_line(run("up", "--data", f"/tmp/{'x' * 100}", status=1).stderr, "too long")


def test_a_database_that_is_not_there_is_told_in_one_line() -> None:
    one_line(run("export", status=1, env={"DATABASE_URL": "postgresql://127.0.0.1:1/none"}).stderr, "127.0.0.1")


def test_an_export_into_a_directory_that_is_not_there_is_told_in_one_line(cli: Cli) -> None:
    cli.make()
    one_line(cli("export", "/no/such/place", status=1).stderr, "/no/such/place")
