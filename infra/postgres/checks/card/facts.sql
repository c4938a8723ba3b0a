-- A card is its patches merged in order of effective time, position and line.
WITH merged AS (
    SELECT key, jsonb_merge(patch ORDER BY effective_at, position, line) AS facts,
           max(effective_at) AS effective_at, max(position) AS position
      FROM {name}_version
     GROUP BY key
), wrong AS (
    SELECT key, to_jsonb(c) - 'key' AS found, to_jsonb(m) - 'key' AS expected
      FROM {name} c FULL JOIN merged m USING (key)
     WHERE (c.facts, c.effective_at, c.position) IS DISTINCT FROM (m.facts, m.effective_at, m.position)
)
SELECT total, json_build_object('table', '{name}', 'key', key) AS cell, 'card' AS figure,
       found::text, expected::text,
       ARRAY(SELECT DISTINCT v.position
               FROM {name}_version v
              WHERE v.key = wrong.key
              ORDER BY v.position LIMIT %(first)s) AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY key LIMIT %(most)s) wrong
