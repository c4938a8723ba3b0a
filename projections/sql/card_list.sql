SELECT key AS {key}, facts, effective_at, position
  FROM {card}_at(%(as_of)s, %(known_at)s)
 WHERE %(search)s IS NULL OR key ILIKE '%%' || %(search)s || '%%' OR facts ->> 'name' ILIKE '%%' || %(search)s || '%%'
