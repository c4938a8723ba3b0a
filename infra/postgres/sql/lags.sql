-- How far each projection is, for how long the next event has been waiting for it, and how many streams are parked. An
-- event that a clock has put into the future waits since the projection moved last.
SELECT p.name AS projection, p.version, t.least AS position, h.position AS log_size, t.greatest AS furthest,
       coalesce(extract(epoch FROM clock_timestamp() - CASE WHEN e.recorded_at <= clock_timestamp() THEN e.recorded_at
                                                            WHEN e.position IS NOT NULL THEN t.moved_at END), 0)
       ::double precision AS behind_seconds,
       (SELECT count(*) FROM quarantine q WHERE q.projection = p.name) AS quarantined
  FROM (SELECT max(position) AS position FROM head) h
 CROSS JOIN projection p
 CROSS JOIN LATERAL (SELECT min(position) AS least, max(position) AS greatest, max(moved_at) AS moved_at
                       FROM places(p.name)) t
  LEFT JOIN event e ON e.position = t.least + 1
 ORDER BY p.name
