-- The rows of an event are numbered 0, 1, 2 …: none is there twice, and none is missing in between.
WITH wrong AS (
    SELECT position, string_agg(line::text, ', ' ORDER BY line) AS found, count(DISTINCT line) AS lines
      FROM {log}
     GROUP BY position
    HAVING count(DISTINCT line) <> count(*) OR min(line) <> 0 OR max(line) <> count(*) - 1
)
SELECT total, json_build_object('table', '{log}', 'position', position) AS cell, 'lines' AS figure,
       found, (SELECT string_agg(n::text, ', ' ORDER BY n) FROM generate_series(0, lines - 1) AS n) AS expected,
       ARRAY[position] AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY position LIMIT %(most)s) wrong
