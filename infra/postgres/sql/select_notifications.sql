SELECT stream, version, type, payload, position
  FROM event
 WHERE position > %(after)s AND position <= %(stop)s
   AND (%(topics)s::text[] IS NULL OR type = ANY (%(topics)s::text[]))
 ORDER BY position
 LIMIT %(limit)s
