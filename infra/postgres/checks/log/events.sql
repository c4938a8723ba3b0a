-- Each row is of an event in the book, with its times and its type.
WITH wrong AS (
    SELECT r.position, r.line,
           concat_ws(' ', r.type, r.effective_at, r.recorded_at) AS found,
           nullif(concat_ws(' ', e.type, e.effective_at, e.recorded_at), '') AS expected
      FROM {log} r LEFT JOIN event e ON e.position = r.position
     WHERE e.position IS NULL OR (r.type, r.effective_at, r.recorded_at) <> (e.type, e.effective_at, e.recorded_at)
)
SELECT total, json_build_object('table', '{log}', 'position', position, 'line', line) AS cell, 'event' AS figure,
       found, expected, ARRAY[position] AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY position, line LIMIT %(most)s) wrong
