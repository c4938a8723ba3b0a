-- Everything of every partition up to one position has been taken: so it has of any number of partitions.
WITH others AS (
    DELETE FROM tracking WHERE consumer = %(consumer)s AND partition >= %(partitions)s
)
INSERT INTO tracking (consumer, partition, partitions, position, moved_at)
SELECT %(consumer)s, partition, %(partitions)s, %(position)s, clock_timestamp()
  FROM generate_series(0, %(partitions)s - 1) AS partition
    ON CONFLICT (consumer, partition) DO UPDATE SET partitions = excluded.partitions, position = excluded.position,
                                                       moved_at = excluded.moved_at
