SELECT position, stream, version, type, schema_version, order_key, recorded_at, effective_at, metadata, payload
  FROM event
 WHERE position > %(after)s
   AND (%(stream)s IS NULL OR stream = %(stream)s)
   AND (%(type)s IS NULL OR type = %(type)s)
 ORDER BY position
 LIMIT %(limit)s
