-- Everything of every partition up to one position has been taken: so it has of any number of partitions. Who asks holds
-- the rows that there are, or is alone with a new consumer.
DELETE FROM tracking WHERE consumer = %(consumer)s;
INSERT INTO tracking (consumer, partition, partitions, position, moved_at)
SELECT %(consumer)s, partition, %(partitions)s, %(position)s, clock_timestamp()
  FROM generate_series(0, %(partitions)s - 1) AS partition
