-- Mean, median and 90th percentile (as percentile_cont has them) of spans (key, deal, seconds). All is exact until it is
-- rounded: seconds have twenty decimal places, and so have their quotients.
sorted AS (
    SELECT key, count(*) AS n, count(DISTINCT deal) AS deals, sum(seconds) AS total, 9 * (count(*) - 1) AS tenths,
           array_agg(seconds ORDER BY seconds) AS s
      FROM span GROUP BY key
), days AS (
    SELECT key, n AS spans, round(total / (n * 86400), 4) AS mean_days,
           round((s[(n + 1) / 2] + s[(n + 2) / 2]) / (2 * 86400), 4) AS median_days,
           round((s[tenths / 10 + 1] * (10 - mod(tenths, 10)) + coalesce(s[tenths / 10 + 2], 0) * mod(tenths, 10))
                 / (10 * 86400), 4) AS p90_days,
           round(total / (deals * 86400), 4) AS per_deal_mean_days
      FROM sorted
)
