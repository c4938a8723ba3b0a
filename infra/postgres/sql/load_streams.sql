-- Each stream from its last snapshot of the right type on. A snapshot comes as an event of schema version 0.
WITH kept AS (
    SELECT w.stream, s.version, s.type, s.state
      FROM unnest(%(streams)s::text[], %(snapshot_types)s::text[]) AS w (stream, snapshot_type)
      LEFT JOIN LATERAL (
           SELECT version, type, state FROM snapshot
            WHERE snapshot.stream = w.stream COLLATE "C" AND snapshot.type = w.snapshot_type
            ORDER BY version DESC LIMIT 1) s ON true
)
SELECT stream, version, type, 0 AS schema_version, NULL AS effective_at, state AS payload
  FROM kept WHERE version IS NOT NULL
 UNION ALL
SELECT k.stream, e.version, e.type, e.schema_version, e.effective_at, e.payload
  FROM kept k
  JOIN event e ON e.stream = k.stream COLLATE "C" AND e.version > coalesce(k.version, 0)
 ORDER BY version
