-- The states of a subject follow each other: each holds until the next one begins, and the last one is open.
WITH told AS (
    SELECT {first}, position, line, effective_at, left_at FROM {name}_interval
), expected AS (
    SELECT {first}, position, line, effective_at,
           lead(effective_at) OVER (PARTITION BY {first} ORDER BY effective_at, position, line) AS left_at
      FROM {name}
), differing AS (
    SELECT *, true AS is_told FROM (SELECT * FROM told EXCEPT ALL SELECT * FROM expected) come
     UNION ALL
    SELECT *, false FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM told) gone
), wrong AS (
    SELECT {first}, position, line,
           max(concat(effective_at, ' to ', coalesce(left_at::text, '…'))) FILTER (WHERE is_told) AS found,
           max(concat(effective_at, ' to ', coalesce(left_at::text, '…'))) FILTER (WHERE NOT is_told) AS expected
      FROM differing
     GROUP BY {first}, position, line
)
SELECT total, json_build_object('table', '{name}_interval', '{first}', {first}, 'position', position, 'line', line) AS cell,
       'interval' AS figure, found, expected,
       ARRAY(SELECT DISTINCT h.position
               FROM {name} h
              WHERE h.{first} IS NOT DISTINCT FROM wrong.{first}
              ORDER BY h.position LIMIT %(first)s) AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY {first}, position, line LIMIT %(most)s) wrong
