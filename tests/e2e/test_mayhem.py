"""A short mayhem; a longer one: ``make soak``. And that its judge is none who lets everything pass."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import Api
from tests.e2e.given import client, deal, invoice, moved, payment, pipeline, product, received, shipped, warehouse
from tests.e2e.mayhem import STAGES, mayhem
from tests.e2e.verdict import judge

SEED = 1


def test_whatever_is_killed_or_cut_off_no_rule_is_broken_and_nobody_told_wrong(directory: Path, tmp_path: Path) -> None:
    made = mayhem(directory, tmp_path, SEED)
    assert len(made.told.booked) > 100
    assert made.told.refused
    assert made.told.cut


Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def records(shared: Api) -> Records:
    shared.given(product(), warehouse(), received("5", on="2026-01-01"), shipped("2", on="2026-01-02"))
    shared.given(client(), invoice("I1", "10.00", due="2026-02-01"), payment("Z1", "8.00", allocate="oldest"))
    shared.given(
        pipeline("P", "strict", *STAGES), deal("D1", "P", "1.00", on="2026-01-01"), moved("D1", "B", on="2026-01-02")
    )
    return shared.events()


def _change(type: str, **fields: object) -> Callable[[Records], object]:
    def change(records: Records) -> None:
        for record in records:
            if record["type"] == type:
                record["payload"].update(fields)

    return change


WRONGS: dict[str, Callable[[Records], object]] = {
    "a position is missing": lambda records: records.pop(2),
    "a version is missing": lambda records: records[3].update(version=7),
    "time goes back": lambda records: records[4].update(recorded_at="2000-01-01T00:00:00Z"),
    "more left than there was": _change("stock.shipped", quantity="6"),
    "more was paid than was owed": _change("payment.allocated", amount="11.00"),
    "more was paid than was received": _change("payment.received", amount="7.00"),
    "a stage was passed over": _change("deal.moved", stage="C"),
    "an invoice is there twice": lambda records: records.append(
        {**deepcopy(_of(records, "invoice.issued")), "position": len(records) + 1}
    ),
}


def _of(records: Records, type: str) -> dict[str, Any]:
    return next(record for record in records if record["type"] == type)


def test_the_judge_finds_nothing_where_nothing_is_wrong(records: Records) -> None:
    assert judge(records, STAGES).wrong == []


@pytest.mark.parametrize("wrong", WRONGS)
def test_the_judge_finds_each_wrong(records: Records, wrong: str) -> None:
    found = deepcopy(records)
    WRONGS[wrong](found)
    assert judge(found, STAGES).wrong
