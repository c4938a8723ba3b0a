"""An event on the wire: a CloudEvent in binary mode. Key: the order key. Value: the payload, to the byte as stored.

Positions ascend in a partition, and each message names the one before it in its partition, so a reader that stands at
one knows whether it missed any. A *mark* carries no event: it says that up to its position there is nothing more in
this partition, so that readers of a quiet partition know how far they are.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import orjson

from consumers.ports import Delivered, Recorded

LARGEST = 16_777_216
"""Bytes of a message. The broker's own limit, a megabyte, is less than what a command may bring."""

MARK = "grossbuch.mark"
CONTENT_TYPE = ("content-type", b"application/json")
SPECIFICATION = ("ce_specversion", b"1.0")

REMEMBERED = 1_000
"""Times of recording: events of one commit have the same."""

Headers = list[tuple[str, bytes]]

CARRIED = {"actor": "ce_actor", "command_id": "ce_commandid", "correlation_id": "ce_correlationid"}
"""What of an event's metadata goes along, and as what."""


class Message(NamedTuple):
    """``event`` is None for a mark. ``ledger`` is the identity of whose it is; None if it was written before that was
    told."""

    position: int
    previous: int
    recorded_at: str
    ledger: str | None
    event: Delivered | None


def origin(ledger: str, identity: str) -> Headers:
    """Of which ledger a message is: its name, and what no other of that name has."""
    return [("ce_source", f"/grossbuch/{ledger}".encode()), ("ce_ledgerid", identity.encode())]


def headers(event: Recorded, previous: int, origin: Headers) -> Headers:
    """``previous`` is the position of the message before it in its partition, 0 for the first."""
    position = b"%d" % event.position
    metadata = orjson.loads(event.metadata)
    carried = [(header, str(metadata[name]).encode()) for name, header in CARRIED.items() if name in metadata]
    return [
        SPECIFICATION,
        CONTENT_TYPE,
        ("ce_id", position),
        *origin,
        ("ce_type", event.type.encode()),
        ("ce_subject", event.stream.encode()),
        ("ce_time", _time(event.recorded_at)),
        ("ce_effectiveat", rfc3339(event.effective_at).encode()),
        ("ce_position", position),
        ("ce_previous", b"%d" % previous),
        ("ce_version", b"%d" % event.version),
        ("ce_schemaversion", b"%d" % event.schema_version),
        *carried,
    ]


def mark(position: int, previous: int, partition: int, recorded_at: str, origin: Headers) -> Headers:
    """That there is nothing between ``previous`` and ``position`` in this partition, which was recorded then."""
    return [
        SPECIFICATION,
        ("ce_id", b"%d-mark-%d" % (position, partition)),
        *origin,
        ("ce_type", MARK.encode()),
        ("ce_time", _time(recorded_at)),
        ("ce_position", b"%d" % position),
        ("ce_previous", b"%d" % previous),
    ]


def read(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Message:
    """KeyError, ValueError: it is not a message of ours."""
    said = dict(headers)
    position, previous = int(said["ce_position"]), int(said["ce_previous"])
    type, recorded_at = said["ce_type"].decode(), said["ce_time"].decode()
    ledger = said["ce_ledgerid"].decode() if "ce_ledgerid" in said else None
    if type == MARK:
        return Message(position, previous, recorded_at, ledger, None)
    if key is None or value is None:
        raise ValueError(f"an event without a {'key' if key is None else 'value'}")
    event = Delivered(
        position,
        said["ce_subject"].decode(),
        int(said["ce_version"]),
        type,
        int(said["ce_schemaversion"]),
        key.decode(),
        said["ce_effectiveat"].decode(),
        recorded_at,
        value.decode(),
    )
    return Message(position, previous, recorded_at, ledger, event)


def rfc3339(time: str) -> str:
    """A time in UTC as PostgreSQL writes it, in the form of RFC 3339."""
    return time.replace(" ", "T") + ":00" if time.endswith("+00") else time


@lru_cache(maxsize=REMEMBERED)
def _time(recorded_at: str) -> bytes:
    return rfc3339(recorded_at).encode()


@lru_cache(maxsize=REMEMBERED)
def milliseconds(time: str) -> int:
    """A message's timestamp: that of its event's recording, so offsets are found by it."""
    return int(datetime.fromisoformat(rfc3339(time)).timestamp() * 1000)
