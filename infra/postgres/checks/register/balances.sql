-- A balance is the sum of its movements.
-- Of a month that is detached the turnovers stand for them.
WITH told AS (
    SELECT {dimensions}, {resources}, true AS is_kept FROM {name}_balance
     UNION ALL
    SELECT {dimensions}, {sums}, false FROM {name}_movement m
     WHERE NOT EXISTS (SELECT FROM {name}_detached d WHERE m.effective_at >= d.starts AND m.effective_at < d.ends)
     GROUP BY {dimensions}
     UNION ALL
    SELECT {dimensions}, {nets}, false FROM {name}_turnover WHERE month IN (SELECT month FROM {name}_detached)
), wrong AS (
    SELECT {dimensions}, each.figure,
           sum(each.amount) FILTER (WHERE is_kept) AS found, sum(each.amount) FILTER (WHERE NOT is_kept) AS expected
      FROM told CROSS JOIN LATERAL (VALUES {figures}) AS each (figure, amount)
     GROUP BY {dimensions}, each.figure
    HAVING coalesce(sum(each.amount) FILTER (WHERE is_kept), 0) <> coalesce(sum(each.amount) FILTER (WHERE NOT is_kept), 0)
)
SELECT total, json_build_object('table', '{name}_balance', {cell}) AS cell, figure,
       found::text, coalesce(expected, 0)::text AS expected,
       ARRAY(SELECT DISTINCT m.position
               FROM {name}_movement m
              WHERE ({dimensions}) IS NOT DISTINCT FROM ({wrong_dimensions})
              ORDER BY m.position LIMIT %(first)s) AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY {dimensions}, figure LIMIT %(most)s) wrong
