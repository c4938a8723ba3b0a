SELECT stream, version, type, state
  FROM snapshot
 WHERE stream = %(stream)s AND version > %(gt)s AND version <= %(lte)s
 ORDER BY version {order}
 LIMIT %(limit)s
