SELECT key AS {key}, facts, effective_at, position
  FROM {card}_cards(%(as_of)s, %(known_at)s, %(moment)s)
 WHERE key = %({key})s
