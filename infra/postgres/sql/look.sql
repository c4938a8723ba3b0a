-- The commands that have been applied, one row an event.
SELECT c.command_id, c.digest, e.position, e.type, e.stream, e.version
  FROM command c
  JOIN event e ON e.position BETWEEN c.first_position AND c.first_position + c.events - 1
 WHERE c.command_id = ANY (%s::text[])
 ORDER BY e.position
