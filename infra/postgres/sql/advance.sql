-- Compare and set, partition by partition: a row is moved if it stands where the batch begins, and is of as many
-- partitions as the writer believes; and if the generation is of the writer's version. Another release may have swapped.
UPDATE tracking t
   SET position = b.upto
  FROM unnest(%(partition)s::int[], %(after)s::bigint[], %(upto)s::bigint[]) AS b (partition, after, upto)
 WHERE t.consumer = %(consumer)s AND t.partition = b.partition
   AND t.partitions = %(partitions)s AND t.position = b.after
   AND EXISTS (SELECT FROM generation g
                WHERE g.projection = %(projection)s AND (g.version, g.layout) = (%(version)s, %(layout)s)
                  AND %(consumer)s = CASE g.state WHEN 'current' THEN g.projection
                                                  WHEN 'filling' THEN g.projection || '/' || g.number END)
