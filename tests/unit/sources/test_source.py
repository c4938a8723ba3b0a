"""What holds for every source."""

from decimal import Decimal

import pytest

from infra.sources.cdnow import Cdnow
from infra.sources.completejourney import CompleteJourney
from infra.sources.source import Command, Source, SourceMissing, data_file
from infra.sources.wholesale import Wholesale
from tests.unit.sources.books import added_up, leaves, lowest_stock, of

SOURCES: dict[str, Source] = {
    "completejourney": CompleteJourney(weeks=2),
    "cdnow": Cdnow(limit=2_000),
    "wholesale": Wholesale(),
}


@pytest.fixture(scope="module", params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]


@pytest.fixture(scope="module")
def commands(source: Source) -> list[Command]:
    return list(source.commands())


def test_the_commands_add_up_to_the_totals_to_the_cent(source: Source, commands: list[Command]) -> None:
    told = source.totals()
    assert added_up(commands, like=told) == told


def test_the_count_is_exact(source: Source, commands: list[Command]) -> None:
    assert source.count() == len(commands)


def test_every_command_has_an_id_of_its_own_that_the_contract_takes(commands: list[Command]) -> None:
    ids = [str(command["command_id"]) for command in commands]
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= 64


def test_no_float_reaches_a_command(commands: list[Command]) -> None:
    assert {type(leaf) for command in commands for leaf in leaves(command)} <= {str, int}


def test_a_source_gives_the_same_commands_again(source: Source, commands: list[Command]) -> None:
    assert list(source.commands()) == commands


def test_nothing_is_shipped_that_is_not_there(commands: list[Command]) -> None:
    assert lowest_stock(commands) == 0


def test_what_a_command_names_was_registered_before(commands: list[Command]) -> None:
    known: dict[str, set[object]] = {"client": set(), "product": set(), "warehouse": set()}
    for command in commands:
        for kind in known.keys() & command.keys():
            if command["type"] == f"{kind}.register":
                known[kind].add(command[kind])
            assert command[kind] in known[kind]


def test_payments_never_allocate_more_than_is_open(commands: list[Command]) -> None:
    invoices = {command["invoice"]: Decimal(str(command["amount"])) for command in of(commands, "invoice.issue")}
    allocations = [a for payment in of(commands, "payment.receive") for a in payment.get("allocate", ())]
    assert len({allocation["invoice"] for allocation in allocations}) == len(allocations)
    assert all(0 < Decimal(a["amount"]) <= invoices[a["invoice"]] for a in allocations)


def test_a_missing_package_says_what_to_do() -> None:
    with pytest.raises(SourceMissing, match="make install"):
        data_file("no_such_package", "data.parquet")
