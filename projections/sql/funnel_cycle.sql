-- From opening to each closing in the period; no row if there is no such pipeline.
WITH {closings}, span AS (
    SELECT outcome AS key, deal, extract(epoch FROM effective_at - opened_at)::numeric(40, 20) AS seconds FROM closing
), {days}
SELECT key AS outcome, coalesce(spans, 0) AS deals, mean_days, median_days, p90_days
  FROM (VALUES ('won'), ('lost')) AS outcome (key) LEFT JOIN days USING (key)
 WHERE EXISTS (SELECT FROM stage)
