-- States at a moment that differ between what was known at two positions.
WITH touched AS (
    SELECT DISTINCT {first} FROM {name}
     WHERE position > LEAST(%(before)s, %(after)s) AND position <= GREATEST(%(before)s, %(after)s)
       AND effective_at <= %(moment)s
)
SELECT json_build_object('{first}', {first}) AS cell, figure, was, "is"
  FROM (
    SELECT {first}, {known_states}
      FROM {name}
     WHERE {first} IN (TABLE touched) AND effective_at <= %(moment)s AND position <= GREATEST(%(before)s, %(after)s)
     GROUP BY {first}
  ) AS state, LATERAL (VALUES {known_figures}) AS known (figure, was, "is")
 WHERE was IS DISTINCT FROM "is"
 ORDER BY {first}, figure
