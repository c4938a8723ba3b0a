-- The turnover of a month is the sum of its movements.
-- A month that is detached is held to that when it is attached again.
WITH told AS (
    SELECT {dimensions}, month, {flows}, true AS is_kept FROM {name}_turnover
     WHERE month NOT IN (SELECT month FROM {name}_detached)
     UNION ALL
    SELECT {dimensions}, date_trunc('month', effective_on)::date, {split_sums}, false
      FROM {name}_movement m
     WHERE NOT EXISTS (SELECT FROM {name}_detached d WHERE m.effective_at >= d.starts AND m.effective_at < d.ends)
     GROUP BY {dimensions}, date_trunc('month', effective_on)::date
), wrong AS (
    SELECT {dimensions}, month, each.figure,
           sum(each.amount) FILTER (WHERE is_kept) AS found, sum(each.amount) FILTER (WHERE NOT is_kept) AS expected
      FROM told CROSS JOIN LATERAL (VALUES {flow_figures}) AS each (figure, amount)
     GROUP BY {dimensions}, month, each.figure
    HAVING coalesce(sum(each.amount) FILTER (WHERE is_kept), 0) <> coalesce(sum(each.amount) FILTER (WHERE NOT is_kept), 0)
)
SELECT total, json_build_object('table', '{name}_turnover', {cell}, 'month', month) AS cell, figure,
       found::text, coalesce(expected, 0)::text AS expected,
       ARRAY(SELECT DISTINCT m.position
               FROM {name}_movement m
              WHERE ({dimensions}) IS NOT DISTINCT FROM ({wrong_dimensions})
                AND date_trunc('month', m.effective_on)::date = wrong.month
              ORDER BY m.position LIMIT %(first)s) AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY {dimensions}, month, figure LIMIT %(most)s) wrong
