SELECT key AS {key}, facts, effective_at, position
  FROM {card}_at(%(as_of)s, %(known_at)s)
 WHERE key = %({key})s
