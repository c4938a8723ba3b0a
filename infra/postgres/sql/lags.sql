-- How far each projection is, and for how long the next event has been waiting for it.
SELECT p.name AS projection, p.version, t.position, h.position AS log_size,
       coalesce(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::double precision AS behind_seconds
  FROM (SELECT max(position) AS position FROM head) h
 CROSS JOIN projection p
  JOIN tracking t ON t.consumer = p.name AND t.partition = 0
  LEFT JOIN event e ON e.position = t.position + 1
 ORDER BY p.name
