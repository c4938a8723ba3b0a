"""What the relay's /metrics shows."""

from prometheus_client import Counter, Gauge

POSITION = Gauge("grossbuch_relay_position", "Position of the last event in the topic")
BEHIND = Gauge("grossbuch_relay_behind_events", "Events in the book that are not in the topic")
PUBLISHED = Counter("grossbuch_relay_published_events", "Events published by this process")
LOST = Counter("grossbuch_relay_publishers_lost", "Publishers thrown away, by reason", ["reason"])
STANDING_BY = Gauge("grossbuch_relay_standing_by", "1 while another process is the relay")

PARTITIONS = Gauge("grossbuch_consumer_partitions", "Partitions that this process holds", ["group"])
REMADE = Counter("grossbuch_consumer_remade", "Consumers thrown away and made again, by reason", ["reason"])
SOUGHT_AGAIN = Counter("grossbuch_consumer_sought_again", "Times that a topic was not what it was, by sign", ["sign"])


class RelayFigures:
    """A relay's Watch (consumers/relay.py)."""

    def standing_by(self, yes: bool) -> None:
        STANDING_BY.set(yes)

    def at(self, position: int, end: int) -> None:
        POSITION.set(position)
        BEHIND.set(end - position)

    def published(self, events: int) -> None:
        PUBLISHED.inc(events)

    def lost(self, reason: str) -> None:
        LOST.labels(reason).inc()
