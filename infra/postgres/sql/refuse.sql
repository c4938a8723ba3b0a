-- Refusals take the ids of their commands, each the first that is free, unless one has been applied. Who inserts the same
-- id at this moment is waited for; then nothing is taken, and who looks next sees what came of it.
INSERT INTO command (command_id, digest, first_position, events, refused_at)
SELECT concat_ws(chr(30), w.id, nullif(tries.refused, 0)::text), w.digest, 0, 0, clock_timestamp()
  FROM unnest(%(ids)s::text[], %(digests)s::text[]) AS w (id, digest)
 CROSS JOIN LATERAL (
       SELECT count(*) AS refused, count(*) FILTER (WHERE c.refused_at IS NULL) AS applied
         FROM command c
        WHERE c.command_id >= w.id COLLATE "C" AND c.command_id < w.id || chr(31) COLLATE "C") tries
 WHERE tries.applied = 0
    ON CONFLICT DO NOTHING
