-- Versions of a stream are 1, 2, 3 … without a gap.
WITH found AS (
    SELECT stream, version, position, lag(version, 1, 0) OVER (PARTITION BY stream ORDER BY version) AS before FROM event
), wrong AS (
    SELECT stream, version, position, before FROM found WHERE version <> before + 1
)
SELECT total, json_build_object('stream', stream, 'after', before) AS cell, 'version' AS figure,
       version::text AS found, (before + 1)::text AS expected, ARRAY[position] AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY position LIMIT %(most)s) wrong
