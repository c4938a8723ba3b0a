-- Only rows of this transaction: other partitions fill the same range of positions, before and after.
INSERT INTO {name} AS c (key, facts, effective_at, position)
SELECT key, jsonb_merge(patch ORDER BY effective_at, position, line), max(effective_at), max(position)
  FROM {name}_version
 WHERE key IN (SELECT key FROM {name}_version WHERE position BETWEEN %(first)s AND %(last)s
                  AND xmin = (SELECT pg_current_xact_id()::xid))
 GROUP BY key
    ON CONFLICT (key) DO UPDATE
   SET facts = excluded.facts, effective_at = excluded.effective_at, position = excluded.position
