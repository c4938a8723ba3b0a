-- Facts at a moment that differ between what was known at two positions; to be null and not to be told is the same.
WITH touched AS (
    SELECT DISTINCT key FROM {name}_version
     WHERE position > LEAST(%(before)s, %(after)s) AND position <= GREATEST(%(before)s, %(after)s)
       AND effective_at <= %(moment)s
)
SELECT json_build_object('{key}', key) AS cell, figure, was ->> figure AS was, "is" ->> figure AS "is"
  FROM (
    SELECT key,
           jsonb_merge(patch ORDER BY effective_at, position, line) FILTER (WHERE position <= %(before)s) AS was,
           jsonb_merge(patch ORDER BY effective_at, position, line) FILTER (WHERE position <= %(after)s) AS "is"
      FROM {name}_version
     WHERE key IN (TABLE touched) AND effective_at <= %(moment)s AND position <= GREATEST(%(before)s, %(after)s)
     GROUP BY key
  ) AS card, LATERAL jsonb_object_keys(was || "is") AS known (figure)
 WHERE was ->> figure IS DISTINCT FROM "is" ->> figure
 ORDER BY key, figure
