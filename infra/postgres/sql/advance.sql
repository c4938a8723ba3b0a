-- Compare and set, partition by partition: a row is moved if it stands where the batch begins, and is of as many
-- partitions as the writer believes; and if the generation is of the writer's version. Another release may have swapped.
-- It is looked up by all of its place, apart: to the planner, who knows of one row, a part of it would do, and among the
-- versions kept for an older transaction there are thousands with that (tests/integration/test_tracking.py).
UPDATE tracking t
   SET position = b.upto
  FROM unnest(%(partition)s::int[], %(after)s::bigint[], %(upto)s::bigint[]) AS b (partition, after, upto),
       LATERAL (SELECT p.ctid FROM tracking p
                 WHERE p.consumer = %(consumer)s AND p.partition = b.partition AND p.position = b.after OFFSET 0) AS place
 WHERE t.ctid = place.ctid
   AND t.partitions = %(partitions)s AND t.position = b.after
   AND EXISTS (SELECT FROM generation g
                WHERE g.projection = %(projection)s AND (g.version, g.layout) = (%(version)s, %(layout)s)
                  AND %(consumer)s = CASE g.state WHEN 'current' THEN g.projection
                                                  WHEN 'filling' THEN g.projection || '/' || g.number END)
