-- What adds up to nothing has no row among the balances.
WITH wrong AS (
    SELECT {dimensions} FROM {name}_balance t WHERE {all_zero}
)
SELECT total, json_build_object('table', '{name}_balance', {cell}) AS cell, 'row' AS figure,
       '0' AS found, NULL AS expected,
       ARRAY(SELECT DISTINCT m.position
               FROM {name}_movement m
              WHERE ({dimensions}) IS NOT DISTINCT FROM ({wrong_dimensions})
              ORDER BY m.position LIMIT %(first)s) AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY {dimensions} LIMIT %(most)s) wrong
