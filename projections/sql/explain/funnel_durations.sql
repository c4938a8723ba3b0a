-- A visit is told of by the event that ended it, a deal by the first that did, and one that goes on by the event that began it.
WITH {visits}, ended AS (
    SELECT left_by AS position, stage, trim_scale(extract(epoch FROM left_at - effective_at)) AS seconds,
           row_number() OVER (PARTITION BY stage, deal ORDER BY effective_at, position) AS nth
      FROM visit WHERE left_at IS NOT NULL
)
SELECT position, stage, 1 AS visits, seconds, CASE nth WHEN 1 THEN 1 END AS deals, NULL AS open_visits FROM ended
 UNION ALL
SELECT position, stage, NULL, NULL, NULL, 1 FROM visit WHERE left_at IS NULL
