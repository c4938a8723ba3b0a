-- No row is of an event beyond where the read model is.
WITH reached AS (
    SELECT max(position) AS upto FROM tracking WHERE consumer = %(projection)s
), wrong AS (
    SELECT position, line, upto FROM {log}, reached WHERE position > upto
)
SELECT total, json_build_object('table', '{log}', 'position', position, 'line', line) AS cell, 'position' AS figure,
       position::text AS found, format('at most %%s', upto) AS expected, ARRAY[position] AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY position, line LIMIT %(most)s) wrong
