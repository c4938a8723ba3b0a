SELECT position, stream, version, type, schema_version, order_key, effective_at::text, recorded_at::text, payload
  FROM event
 WHERE stream = %s COLLATE "C" AND version >= %s AND position <= %s
 ORDER BY version
