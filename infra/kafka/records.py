"""Reads the records of a batch in C, by aiokafka's reader. kafka-python reads each header of each record in Python, for
which a consumer took much of its time (docs/decisions/0018). All else of a batch stays kafka-python's."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatch as Reader
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch as Batch

IN_PYTHON = Batch.__iter__


class Record(NamedTuple):
    """As kafka-python's fetcher wants one."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    checksum: None = None
    size_in_bytes: int = 0

    def validate_crc(self) -> bool:
        """That is checked of the whole batch."""
        return True


def read_in_c() -> None:
    """From now on, in all of this process."""
    Batch.__iter__ = _records


def _records(batch: Any) -> Iterator[Any]:
    if batch.compression_type or batch.is_control_batch:
        return IN_PYTHON(batch)  # type: ignore[no-any-return]
    return _read(batch)


def _read(batch: Any) -> Iterator[Record]:
    try:
        for each in Reader(bytes(batch._buffer)):
            yield Record(each.offset, each.timestamp, each.timestamp_type, each.key, each.value, each.headers)
    except Exception as error:
        raise CorruptRecordError(repr(error)) from error
