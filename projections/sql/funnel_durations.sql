-- How long visits to a stage took that have come to an end; those that have not are only counted.
WITH {visits}, span AS (
    SELECT stage AS key, deal, extract(epoch FROM left_at - effective_at)::numeric(40, 20) AS seconds
      FROM visit WHERE left_at IS NOT NULL
), {days}, still AS (
    SELECT stage, count(*) AS open_visits FROM visit WHERE left_at IS NULL GROUP BY stage
)
SELECT n AS line, stage, coalesce(spans, 0) AS visits, mean_days, median_days, p90_days, per_deal_mean_days,
       coalesce(open_visits, 0) AS open_visits
  FROM stage LEFT JOIN days ON key = stage LEFT JOIN still USING (stage)
