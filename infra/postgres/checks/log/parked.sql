-- Of a parked stream there is no row of the events that wait.
WITH wrong AS (
    SELECT r.position, r.line, e.stream, e.version, q.version AS parked
      FROM quarantine q
      JOIN event e ON e.stream = q.stream AND e.version >= q.version
      JOIN {log} r ON r.position = e.position
     WHERE q.projection = %(projection)s
)
SELECT total, json_build_object('table', '{log}', 'stream', stream, 'position', position, 'line', line) AS cell,
       'version' AS figure, version::text AS found, format('below %%s', parked) AS expected, ARRAY[position] AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY position, line LIMIT %(most)s) wrong
