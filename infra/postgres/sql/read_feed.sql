SELECT position, stream, version, type, schema_version, order_key, effective_at::text, recorded_at::text, payload
  FROM event
 WHERE position > %s AND position <= %s AND type = ANY (%s)
 ORDER BY position
