SELECT key AS {key}, facts, effective_at, position
  FROM {card}_cards(%(as_of)s, %(known_at)s, %(moment)s)
 WHERE %(search)s IS NULL
    OR strpos(lower(key COLLATE "default"), lower(%(search)s)) > 0 OR strpos(lower(facts ->> 'name'), lower(%(search)s)) > 0
