"""Which partition an order key belongs to: Kafka's own rule, so that any client's partitioner agrees."""

from functools import lru_cache


@lru_cache(maxsize=100_000)
def partition_of(order_key: str, partitions: int) -> int:
    """murmur2 of the key's bytes without its sign bit, modulo the number of partitions: Kafka's default partitioner."""
    if partitions == 1:
        return 0
    from kafka.partitioner.default import murmur2

    return int(murmur2(order_key.encode()) & 0x7FFFFFFF) % partitions
