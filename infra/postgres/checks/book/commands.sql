-- Each command that was applied has its events in the book.
WITH found AS (
    SELECT c.command_id, c.first_position, c.events,
           (SELECT count(*) FROM event e
             WHERE e.position >= c.first_position AND e.position < c.first_position + c.events) AS there
      FROM command c
), wrong AS (
    SELECT * FROM found WHERE there <> events
)
SELECT total, json_build_object('command_id', command_id) AS cell, 'events' AS figure,
       there::text AS found, events::text AS expected, ARRAY[first_position] AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY first_position LIMIT %(most)s) wrong
