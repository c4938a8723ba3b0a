-- Balances at a moment that differ between what was known at two positions: of rows that moved in between, and no others.
WITH touched AS (
    SELECT DISTINCT {first} FROM {name}_movement
     WHERE position > LEAST(%(before)s, %(after)s) AND position <= GREATEST(%(before)s, %(after)s)
       AND effective_at <= %(moment)s
)
SELECT json_build_object({named_dimensions}) AS cell, figure, was::text, "is"::text
  FROM (
    SELECT {dimensions}, {known_sums}
      FROM {name}_movement
     WHERE {first} IN (TABLE touched) AND effective_at <= %(moment)s AND position <= GREATEST(%(before)s, %(after)s)
     GROUP BY {dimensions}
  ) AS balance, LATERAL (VALUES {known_figures}) AS known (figure, was, "is")
 WHERE was <> "is"
 ORDER BY {dimensions}, figure
