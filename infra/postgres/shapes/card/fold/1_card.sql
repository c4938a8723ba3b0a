INSERT INTO {name} AS c (key, facts, effective_at, position)
SELECT key, jsonb_merge(patch ORDER BY effective_at, position, line), max(effective_at), max(position)
  FROM {name}_version
 WHERE key IN (SELECT key FROM {name}_version WHERE position > %(after)s AND position <= %(upto)s)
 GROUP BY key
    ON CONFLICT (key) DO UPDATE
   SET facts = excluded.facts, effective_at = excluded.effective_at, position = excluded.position
