-- What stands later in the book did not become known earlier.
WITH found AS (
    SELECT position, recorded_at, lag(recorded_at) OVER (ORDER BY position) AS before FROM event
), wrong AS (
    SELECT position, recorded_at, before FROM found WHERE recorded_at < before
)
SELECT total, json_build_object('position', position) AS cell, 'recorded_at' AS figure,
       recorded_at::text AS found, format('%%s or later', before) AS expected, ARRAY[position] AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY position LIMIT %(most)s) wrong
