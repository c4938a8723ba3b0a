"""What must be there, told by the book alone: read models as plain folds of its events, and each once in the topic."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import orjson

from consumers.ports import Topic
from domain.event import Event, decode
from infra.kafka.broker import Broker
from infra.partitions import partition_of
from projections import PROJECTIONS
from tests.kafka.carrying import are_carried, events, messages
from tests.properties import folds
from tests.properties.books import Books
from tests.properties.tables import check_tables

EVENTS = """
SELECT position, stream, version, type, schema_version, order_key, effective_at, recorded_at, payload, metadata
  FROM event ORDER BY position
"""


class Known(NamedTuple):
    """An event as the book has it."""

    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    order_key: str
    effective_at: datetime
    recorded_at: datetime
    payload: str
    metadata: str

    @property
    def event(self) -> Event:
        return decode(self.type, self.schema_version, self.payload)

    @property
    def command(self) -> str:
        return str(orjson.loads(self.metadata).get("command_id"))


def book(books: Books) -> list[Known]:
    found = [Known._make(row) for row in books.rows(EVENTS)]
    assert [each.position for each in found] == list(range(1, len(found) + 1))
    return found


def has_all_that_was_accepted(found: list[Known], accepted: Mapping[str, int]) -> None:
    """Each command's events, the last of them at the position that was answered."""
    last: dict[str, int] = {each.command: each.position for each in found}
    assert {id: last.get(id) for id in accepted} == accepted


def read_models_agree(books: Books, found: list[Known]) -> None:
    """Every table, to the row; nothing waits in quarantine."""
    assert books.rows("SELECT projection, stream, error FROM quarantine") == []
    facts = [(each.position, each.event, each.effective_at, each.recorded_at) for each in found]
    check_tables(books, folds.logs_of(facts), len(found), PROJECTIONS)


def topic_agrees(broker: Broker, topic: Topic, found: list[Known]) -> None:
    """Every event is in it once, as the book has it, where its key belongs, and in order."""
    are_carried(broker, topic, len(found))
    carried = {each.position: each for each in events(messages(broker, topic))}
    for each in found:
        there = carried[each.position]
        assert there.partition == partition_of(each.order_key, topic.partitions)
        assert (there.key, there.value) == (each.order_key.encode(), each.payload.encode())
        assert (there.headers["ce_subject"], there.headers["ce_version"]) == (each.stream, str(each.version))
