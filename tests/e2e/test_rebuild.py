"""Rebuilding while everything goes on, from the command line."""

import os
import re
import signal
import subprocess
from collections.abc import Callable
from threading import Event, Thread

import pytest

from tests.e2e.cli import Cli
from tests.e2e.given import client
from tests.e2e.load import eventually


@pytest.fixture(scope="module")
def full(make_cli: Callable[[], Cli]) -> Cli:
    cli = make_cli()
    cli("import", "wholesale", "--new")
    return cli


def test_a_rebuild_by_several_processes_gives_the_same_rows_and_keeps_the_old_ones(full: Cli) -> None:
    before = full.read_models()
    done = full.json("rebuild", "--all", "--processes", "3")
    assert done["differences"] == {}
    assert full.read_models() == before
    stock = [each for each in full.json("generations", "list")["items"] if each["projection"] == "stock"]
    assert [each["state"] for each in stock][-2:] == ["old", "current"]
    dropped = full.json("generations", "drop")["dropped"]
    assert "stock" in {each["projection"] for each in dropped}
    assert {each["state"] for each in full.json("generations", "list")["items"]} == {"current"}
    assert full.read_models() == before


def filling(cli: Cli) -> list[tuple[str, int]]:
    listed = cli.json("generations", "list")["items"]
    return [(each["projection"], each["number"]) for each in listed if each["state"] == "filling"]


def half_done(cli: Cli, *names: str, processes: int = 1) -> subprocess.Popen[bytes]:
    """A rebuild that has filled a part, and rests for its rate's sake before it fills the next."""
    process = cli.start("rebuild", *names, "--processes", str(processes), "--rate", "50")
    eventually(lambda: passed(cli, names[0]) > 0 or process.poll() is not None)
    return process


def passed(cli: Cli, name: str) -> int:
    """Positions, over all partitions."""
    consumer = f"SELECT coalesce(sum(position), 0) FROM {cli.ledger}.tracking WHERE consumer LIKE '{name}/%'"
    return int(cli.sql(consumer)[0][0])


FIVE = ["clients", "deals", "receivables", "stock", "timeline"]


@pytest.mark.parametrize(("names", "processes"), [(["clients", "stock"], 1), (FIVE, 3)])
def test_a_rebuild_that_was_killed_goes_on_where_it_was(full: Cli, names: list[str], processes: int) -> None:
    before = full.read_models()
    process = half_done(full, *names, processes=processes)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)  # its workers, who hold its pipes, end with it
    begun = filling(full)
    assert [name for name, _ in begun] == names
    assert passed(full, names[0]) > 0
    full.json("rebuild", *names)
    assert full.read_models() == before
    listed = full.json("generations", "list")["items"]
    current = [(each["projection"], each["number"]) for each in listed if each["state"] == "current"]
    assert set(begun) <= set(current)


def test_a_rebuild_of_what_is_being_rebuilt_is_refused(full: Cli) -> None:
    process = half_done(full, "clients", "stock")
    refused = full("rebuild", "products", "stock", "--json", status=1)
    assert ("being rebuilt" in refused.stderr, refused.stdout) == (True, "")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    full.json("rebuild", "clients", "stock")


@pytest.mark.parametrize("started", [False, True])
def test_a_rebuild_that_is_interrupted_says_what_becomes_of_it(full: Cli, started: bool) -> None:
    if started:
        process = half_done(full, "clients", "stock")
    else:  # its processes are still on their way
        process = full.start("rebuild", "clients", "stock", "--rate", "50")
        eventually(lambda: len(filling(full)) == 2)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "rebuild the same again to go on" in said
    assert "Traceback" not in said
    begun = filling(full)
    assert [name for name, _ in begun] == ["clients", "stock"]
    for name, number in begun:
        full("generations", "drop", name, str(number))
    assert filling(full) == []


def test_a_rebuild_from_kafka_needs_a_broker(full: Cli) -> None:
    assert "KAFKA_BOOTSTRAP" in full("rebuild", "stock", "--from", "kafka", status=2).stderr


def test_differences_are_told_and_the_old_rows_are_read_on_until_they_are_accepted(make_cli: Callable[[], Cli]) -> None:
    cli = make_cli()
    with cli.served() as api:
        api.given(client("C1"), client("C2"))
        assert len(api.rows("/v1/clients")) == 2
    cli.execute(f"DELETE FROM {cli.ledger}_read.client_version WHERE key = 'C2'")
    refused = cli("rebuild", "clients", status=3).stdout
    assert re.search(r"client_version, position 2, only in filled: .*C2", refused)
    assert len(cli.read_models()["client_version"]) == 1
    states = [each["state"] for each in cli.json("generations", "list")["items"] if each["projection"] == "clients"]
    assert states == ["current", "refused"]
    accepted = cli.json("rebuild", "clients", "--accept")
    assert [each["only_in"] for each in accepted["differences"]["clients"]] == ["filled"]
    assert accepted["compared_at"] == {"clients": 2}
    assert len(cli.read_models()["client_version"]) == 2


def test_commands_and_queries_go_on_during_a_rebuild_and_what_came_meanwhile_is_there(
    make_cli: Callable[[], Cli],
) -> None:
    cli = make_cli()
    with cli.served() as api:
        api.given_all([client(f"A{number}") for number in range(300)])
        stopped, failed, written = Event(), list[str](), 0

        def write_and_read() -> None:
            nonlocal written
            while not stopped.is_set():
                api.given(client(f"B{written}"))
                written += 1
                answer = api.get("/v1/clients?limit=100000")
                if answer.status_code != 200 or len(answer.json()["items"]) != 300 + written:
                    failed.append(answer.text)

        thread = Thread(target=write_and_read)
        thread.start()
        for _ in range(3):
            cli.json("rebuild", "clients", "timeline")
        stopped.set()
        thread.join()
        assert failed == []
        assert written > 3


def test_a_rebuild_shows_how_far_it_is(full: Cli) -> None:
    said = full("rebuild", "products").stderr
    assert "Rebuilding products" in said
    assert re.search(r"985/985", said)
    assert re.search(r"Comparing\D*1/1", said)


def test_a_release_whose_projection_changed_fills_it_anew_and_then_it_is_read(make_cli: Callable[[], Cli]) -> None:
    """An older release has filled it: its version is another one than the code's."""
    cli = make_cli()
    with cli.served() as api:
        api.given_all([client(f"A{number}") for number in range(30)])
        assert len(api.rows("/v1/clients")) == 30
    for table, column in (("generation", "projection"), ("projection", "name")):
        cli.execute(f"UPDATE {cli.ledger}.{table} SET version = version - 1 WHERE {column} = 'clients'")
    cli.execute(f"DELETE FROM {cli.ledger}_read.client WHERE key = 'A1'")
    with cli.served() as api:
        api.given(client("B"))
        eventually(lambda: len(api.rows("/v1/clients")) == 31)
    states = [each["state"] for each in cli.json("generations", "list")["items"] if each["projection"] == "clients"]
    assert states == ["old", "current"]
    assert len(cli.read_models()["client_version"]) == 31
