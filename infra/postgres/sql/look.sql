-- The commands that have been applied, one row an event. One without events, the key of a batch, is shown with the next.
SELECT c.command_id, c.digest, e.position, e.type, e.stream, e.version
  FROM command c
  JOIN event e ON e.position BETWEEN c.first_position AND c.first_position + greatest(c.events, 1) - 1
 WHERE c.command_id = ANY (%s::text[])
 ORDER BY e.position
