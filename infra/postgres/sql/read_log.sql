-- What follows a position, if there stands what stood there: one statement, so both are of one book.
SELECT position, stream, version, type, schema_version, order_key, effective_at::text, recorded_at::text, payload, metadata
  FROM (SELECT *, sum(octet_length(payload)) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) - octet_length(payload) AS before
          FROM event
         WHERE position > %(after)s AND position <= %(upto)s
           AND (%(recorded_at)s IS NULL
                OR EXISTS (SELECT FROM event WHERE position = %(after)s AND recorded_at = %(recorded_at)s))) AS following
 WHERE before < %(most_bytes)s
 ORDER BY position
