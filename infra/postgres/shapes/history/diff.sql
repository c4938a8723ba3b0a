-- Rows as of a moment that are known at one of two positions and not at the other. Figures read a history as a whole, and
-- to some a NULL is a value: a subject's last states would not tell all that differs.
SELECT json_build_object('{first}', {first}, 'effective_at', effective_at, 'position', position) AS cell, type AS figure,
       CASE WHEN position <= %(before)s THEN states END AS was, CASE WHEN position <= %(after)s THEN states END AS "is"
  FROM {name}, LATERAL json_build_object({named_states}) AS said (states)
 WHERE position > LEAST(%(before)s, %(after)s) AND position <= GREATEST(%(before)s, %(after)s)
   AND effective_at <= %(moment)s
 ORDER BY {first}, effective_at, position, line
