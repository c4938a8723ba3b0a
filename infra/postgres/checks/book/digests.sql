-- Events are as they were when their block was first checked.
WITH found AS (
    SELECT first, last, digest AS expected, digest_of(first, last) AS digest FROM digest
), wrong AS (
    SELECT * FROM found WHERE digest IS DISTINCT FROM expected
)
SELECT total, json_build_object('from', first, 'to', last) AS cell, 'digest' AS figure,
       digest AS found, expected, ARRAY[first, last] AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY first LIMIT %(most)s) wrong
