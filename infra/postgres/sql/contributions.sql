-- What each event contributed to a figure, in order of position, with what the book says of the event.
SELECT found.position, event.type, event.stream, event.effective_at, event.recorded_at,
       event.metadata::json ->> 'actor' AS actor, part, contribution
  FROM (
    SELECT position, part, {together}(contribution) AS contribution
      FROM (
{pieces}
      ) piece, LATERAL (VALUES {parts}) AS made_of (part, contribution)
     WHERE {key} AND position IS NOT NULL AND {counts}
       AND (%(after)s IS NULL OR (position, part) > (%(after)s, %(after_part)s))
     GROUP BY position, part
    HAVING {remains}
     ORDER BY position, part
     LIMIT %(most)s
  ) found LEFT JOIN event USING (position)
 ORDER BY found.position, part
