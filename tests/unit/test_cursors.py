"""A cursor that is given is taken: however wide the keys of the last row are."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from api.http.explain import Asked
from api.querying import read_cursor, write_cursor
from projections import QUERIES
from projections.query import ListParameters, Query

WIDEST = "\U00010400" * 200
"""The longest name, of letters of four bytes each."""

VALUES = {date: date(2999, 12, 31), datetime: datetime(2999, 12, 31, 23, 59, 59, 999999, UTC), int: 2**62}
LISTS = [query for query in QUERIES if issubclass(query.parameters, ListParameters)]


def widest(query: Query) -> list[object]:
    kinds = [query.row.model_fields[name].annotation if name in query.row.model_fields else int for name in query.order]
    return [VALUES.get(kind, WIDEST) if isinstance(kind, type) else WIDEST for kind in kinds]


def refused(query: Query, cursor: str) -> bool:
    try:
        query.parameters.model_validate({"cursor": cursor})
    except ValidationError as error:  # other parameters may be missing
        return any(each["loc"] == ("cursor",) for each in error.errors())
    return False


@pytest.mark.parametrize("query", LISTS, ids=lambda query: query.path)
def test_the_widest_cursor_of_each_list_is_taken(query: Query) -> None:
    cursor = write_cursor(widest(query))
    assert not refused(query, cursor)
    assert len(read_cursor(cursor, len(query.order))) == len(query.order)


def test_the_widest_cursor_of_an_explanation_is_taken() -> None:
    cursor = write_cursor([2**62, WIDEST])
    asked = Asked(figure="/v1/stock/balances", cell="on_hand", cursor=cursor)
    assert read_cursor(str(asked.cursor), 2) == [str(2**62), WIDEST]


@pytest.mark.parametrize("key", [Decimal("12.50"), "", None, 'a"b', "\U00010400", 0])
def test_what_is_written_is_read(key: object) -> None:
    assert read_cursor(write_cursor([key]), 1) == ["" if key is None else str(key)]
