"""Records read in C are those that kafka-python reads in Python."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from infra.kafka import records

some_bytes = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(st.text(max_size=80), some_bytes), max_size=20)
messages = st.lists(st.tuples(st.integers(0, 2**41), some_bytes, some_bytes, headers), min_size=1, max_size=20)
Message = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]


def batch(messages: Sequence[Message], compression: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=True,
        producer_id=7,
        producer_epoch=0,
        base_sequence=0,
        batch_size=2**30,
    )
    for offset, (timestamp, key, value, headers) in enumerate(messages):
        builder.append(offset, timestamp, key, value, headers)
    return bytes(builder.build())


def read(made: bytes) -> list[tuple[object, ...]]:
    fields = ("offset", "timestamp", "timestamp_type", "key", "value", "headers")
    return [tuple(getattr(record, name) for name in fields) for record in DefaultRecordBatch(made)]


@pytest.fixture
def in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DefaultRecordBatch, "__iter__", records._records)


@given(messages=messages, compression=st.sampled_from([0, 1]))
def test_whatever_they_hold(messages: Sequence[Message], compression: int) -> None:
    made = batch(messages, compression)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DefaultRecordBatch, "__iter__", records.IN_PYTHON)
        expected = read(made)
        patch.setattr(DefaultRecordBatch, "__iter__", records._records)
        assert read(made) == expected


@pytest.mark.usefixtures("in_c")
def test_what_is_no_record_is_said_to_be_corrupt() -> None:
    made = batch([(0, b"k", b"v", [])])
    with pytest.raises(CorruptRecordError):
        read(made[:-3] + b"\xff\xff\xff")
