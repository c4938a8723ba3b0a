-- Compare and set, partition by partition: a row is moved if it stands where the batch begins, and is of as many
-- partitions as the writer believes.
UPDATE tracking t
   SET position = b.upto
  FROM unnest(%(partition)s::int[], %(after)s::bigint[], %(upto)s::bigint[]) AS b (partition, after, upto)
 WHERE t.consumer = %(consumer)s AND t.partition = b.partition
   AND t.partitions = %(partitions)s AND t.position = b.after
