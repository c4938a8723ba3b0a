-- Compare and set, partition by partition: a row is moved if it stands where the batch begins, and is of as many
-- partitions as the writer believes; if the generation is of the writer's version, for another release may have swapped,
-- and of this ledger; and if the book has what the batch ends with, recorded when the batch says.
-- It is looked up by all of its place, apart: to the planner, who knows of one row, a part of it would do, and among the
-- versions kept for an older transaction there are thousands with that (tests/integration/test_tracking.py).
UPDATE tracking t
   SET position = b.upto, moved_at = clock_timestamp()
  FROM unnest(%(partition)s::int[], %(after)s::bigint[], %(upto)s::bigint[], %(recorded_at)s::timestamptz[])
       AS b (partition, after, upto, recorded_at)
  JOIN event e ON e.position = b.upto AND e.recorded_at = coalesce(b.recorded_at, e.recorded_at),
       LATERAL (SELECT p.ctid FROM tracking p
                 WHERE p.consumer = %(consumer)s AND p.partition = b.partition AND p.position = b.after OFFSET 0) AS place
 WHERE t.ctid = place.ctid
   AND t.partitions = %(partitions)s AND t.position = b.after
   AND EXISTS (SELECT FROM generation g, ledger l
                WHERE g.projection = %(projection)s AND (g.version, g.layout) = (%(version)s, %(layout)s)
                  AND coalesce(g.ledger, l.identity) = l.identity
                  AND %(consumer)s = CASE g.state WHEN 'current' THEN g.projection
                                                  WHEN 'filling' THEN g.projection || '/' || g.number END)
