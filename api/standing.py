"""Where the topic stands to the book."""

from datetime import datetime

from consumers.ports import Topic
from infra.kafka.connection import connection
from infra.kafka.ends import read_ends
from infra.kafka.topic import administration, describe
from infra.postgres.connection import Pool
from infra.postgres.log import StoreLog
from infra.postgres.standing import Standing
from infra.settings import Settings

PATIENCE = 10.0
"""Seconds to wait for a broker."""


def topic_standing(settings: Settings, pool: Pool, topic: Topic) -> tuple[Standing, str | None]:
    """And the ledger that it is of, if it says so. KafkaError if no broker answers."""
    options = connection(settings)
    with administration(options) as admin:
        there = describe(admin, topic.name)
    if there is None:
        return Standing(topic.name, 0), None
    last = read_ends(options, topic.name, len(there["partitions"]), PATIENCE).last.values()
    said = [{name: value.decode() for name, value in message.headers} for message in last]
    if not said:
        return Standing(topic.name, 0), None
    furthest = max(said, key=lambda headers: int(headers["ce_position"]))
    position, ledger = int(furthest["ce_position"]), furthest.get("ce_ledgerid")
    if ledger not in (None, topic.ledger):
        return Standing(topic.name, position, 1), ledger
    return Standing(topic.name, position, _differs_from(StoreLog(pool), position, furthest["ce_time"])), ledger


def _differs_from(book: StoreLog, position: int, recorded_at: str) -> int | None:
    if position > (end := book.end()):
        return end + 1
    [event] = book.read(position - 1, position)
    return position if datetime.fromisoformat(event.recorded_at) != datetime.fromisoformat(recorded_at) else None
