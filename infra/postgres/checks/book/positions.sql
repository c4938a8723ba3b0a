-- Positions are 1, 2, 3 … without a gap, up to the head.
WITH found AS (
    SELECT lag(position, 1, 0::bigint) OVER (ORDER BY position) AS before, position FROM event
     UNION ALL
    SELECT (SELECT coalesce(max(position), 0) FROM event), (SELECT max(position) + 1 FROM head)
), wrong AS (
    SELECT before, position FROM found WHERE position <> before + 1
)
SELECT total, json_build_object('after', before) AS cell, 'position' AS figure,
       position::text AS found, (before + 1)::text AS expected, array_remove(ARRAY[before], 0) AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY before LIMIT %(most)s) wrong
