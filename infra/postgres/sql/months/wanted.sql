-- The months that are not attached into which moments fall, each from where the one before ends to where the next begins:
-- rules of time zones change, and where months have met they stay.
WITH known AS (
{known}
), told AS (
    SELECT at, date_trunc('month', at AT TIME ZONE %(time_zone)s)::date AS month
      FROM unnest(%(moments)s::timestamptz[]) AS at
), wanted AS (
    SELECT DISTINCT (CASE WHEN at < coalesce(k.starts, start_of(month, %(time_zone)s))
                          THEN month - interval '1 month'
                          WHEN at >= coalesce(k.ends, start_of((month + interval '1 month')::date, %(time_zone)s))
                          THEN month + interval '1 month'
                          ELSE month END)::date AS month
      FROM told LEFT JOIN known k USING (month)
)
SELECT w.month,
       coalesce(k.starts, earlier.ends, start_of(w.month, %(time_zone)s)) AS starts,
       coalesce(k.ends, later.starts, start_of((w.month + interval '1 month')::date, %(time_zone)s)) AS ends,
       false AS is_attached, coalesce(k.is_refused, false) AS is_refused
  FROM wanted w
  LEFT JOIN known k USING (month)
  LEFT JOIN known earlier ON earlier.month = (w.month - interval '1 month')::date
  LEFT JOIN known later ON later.month = (w.month + interval '1 month')::date
 WHERE k.is_attached IS NOT TRUE
 ORDER BY w.month
