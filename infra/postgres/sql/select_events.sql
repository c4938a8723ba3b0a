SELECT stream, version, type, payload, schema_version, order_key, effective_at, metadata, coalesce(claims, '')
  FROM event
 WHERE stream = %(stream)s AND version > %(gt)s AND version <= %(lte)s
 ORDER BY version {order}
 LIMIT %(limit)s
