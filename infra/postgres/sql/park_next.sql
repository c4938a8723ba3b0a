-- The event of this version was taken: the stream waits with the one that follows it, if there is one yet.
UPDATE quarantine q
   SET version = %(version)s + 1,
       position = coalesce((SELECT e.position FROM event e
                             WHERE e.stream = q.stream AND e.version = %(version)s + 1), q.position)
 WHERE q.projection = %(projection)s AND q.stream = %(stream)s
