-- What became of the tries of commands: of the one that was applied a row for each event, of one that was refused a row.
-- One without events, the key of a batch, is shown with the next.
SELECT w.id, c.digest, c.refused_at, e.position, e.type, e.stream, e.version, e.effective_at, coalesce(e.claims, '')
  FROM unnest(%s::text[]) AS w (id)
  JOIN command c ON c.command_id >= w.id COLLATE "C" AND c.command_id < w.id || chr(31) COLLATE "C"
  LEFT JOIN event e ON c.refused_at IS NULL
                   AND e.position BETWEEN c.first_position AND c.first_position + greatest(c.events, 1) - 1
 ORDER BY e.position
