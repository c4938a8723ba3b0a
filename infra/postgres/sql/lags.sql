-- How far each projection is, for how long the next event has been waiting for it, and how many streams are parked.
SELECT p.name AS projection, p.version, t.position, h.position AS log_size,
       coalesce(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::double precision AS behind_seconds,
       (SELECT count(*) FROM quarantine q WHERE q.projection = p.name) AS quarantined
  FROM (SELECT max(position) AS position FROM head) h
 CROSS JOIN projection p
 CROSS JOIN LATERAL (SELECT min(position) AS position FROM places(p.name)) t
  LEFT JOIN event e ON e.position = t.position + 1
 ORDER BY p.name
