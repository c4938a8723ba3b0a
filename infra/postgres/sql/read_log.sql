SELECT position, stream, version, type, schema_version, order_key, effective_at::text, recorded_at::text, payload, metadata
  FROM (SELECT *, sum(octet_length(payload)) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) - octet_length(payload) AS before
          FROM event
         WHERE position > %s AND position <= %s) AS following
 WHERE before < %s
 ORDER BY position
