-- The months that the period has whole come from the turnovers, its other days from the movements. Classes are decided by
-- products, not quotients, so that what lies on a bound lies on it exactly. Single months matter to xyz alone.
WITH turned AS (
    SELECT 'sales' AS measure, client, currency, month, amount_in - amount_out AS amount FROM sales_turnover
     UNION ALL
    SELECT 'payments', client, currency, month,
           received_in - received_out - refunded_in + refunded_out - bounced_in + bounced_out FROM payments_turnover
), span AS (   -- the days at both ends; as known then, from the movements alone
    SELECT start_of(%(from_)s, %(time_zone)s) AS starts,
           LEAST(end_of(date_trunc('month', %(from_)s + interval '1 month' - interval '1 day')::date - 1, %(time_zone)s),
                 end_of(%(to)s, %(time_zone)s), %(moment)s) AS ends
     WHERE %(known_at)s IS NULL
     UNION ALL
    SELECT start_of(GREATEST(date_trunc('month', %(from_)s + interval '1 month' - interval '1 day')::date,
                             date_trunc('month', LEAST(%(to)s + 1, %(on)s)::timestamp)::date), %(time_zone)s),
           LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s)
     WHERE %(known_at)s IS NULL
     UNION ALL
    SELECT start_of(%(from_)s, %(time_zone)s), LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s)
     WHERE %(known_at)s IS NOT NULL
), moved AS (
    SELECT 'sales' AS measure, client, currency, effective_on, position, amount
      FROM span, sales_between(starts, ends)
     UNION ALL
    SELECT 'payments', client, currency, effective_on, position, received - refunded - bounced
      FROM span, payments_between(starts, ends)
), flowed_before AS (
    SELECT 'sales' AS measure, client, currency, amount_in - amount_out AS amount
      FROM sales_flows(%(before)s, %(from_)s - 1, %(known_at)s)
     UNION ALL
    SELECT 'payments', client, currency,
           received_in - received_out - refunded_in + refunded_out - bounced_in + bounced_out
      FROM payments_flows(%(before)s, %(from_)s - 1, %(known_at)s)
), monthly AS (
    SELECT client, sum(amount) AS amount
      FROM (
        SELECT client, month, amount
          FROM turned
         WHERE %(known_at)s IS NULL AND measure = %(measure)s AND currency = coalesce(%(currency)s, %(book_currency)s)
           AND month >= date_trunc('month', %(from_)s + interval '1 month' - interval '1 day')::date
           AND month < date_trunc('month', LEAST(%(to)s + 1, %(on)s)::timestamp)::date
         UNION ALL
        SELECT client, date_trunc('month', effective_on::timestamp)::date, amount
          FROM moved
         WHERE measure = %(measure)s AND currency = coalesce(%(currency)s, %(book_currency)s)
           AND (%(known_at)s IS NULL OR position <= %(known_at)s)
      ) parts
     GROUP BY client, CASE %(method)s WHEN 'xyz' THEN month END
), earlier AS (
    SELECT client, sum(amount) AS before
      FROM flowed_before
     WHERE %(method)s = 'bcg' AND measure = %(measure)s AND currency = coalesce(%(currency)s, %(book_currency)s)
     GROUP BY client
), ranked AS (
    SELECT *, row_number() OVER (ORDER BY measure DESC, client) AS rank, max(measure) OVER () AS largest,
           sum(greatest(measure, 0)) OVER () AS total,
           sum(greatest(measure, 0)) OVER (ORDER BY measure DESC, client) - greatest(measure, 0) AS larger
      FROM (SELECT client, sum(amount) AS measure, sum(amount * amount) AS squares FROM monthly GROUP BY client) client
), compared AS (
    SELECT ranked.*, coalesce(before, 0) AS before, largest > 0 AND measure * 100 >= largest * %(upper)s AS large,
           coalesce(before, 0) <= 0 OR (measure - before) * 100 > before * %(lower)s AS growing,
           %(months)s * squares - measure * measure AS spread,
           CASE %(method)s WHEN 'bcg' THEN largest ELSE total END AS whole
      FROM ranked LEFT JOIN earlier USING (client)
)
SELECT rank, client, coalesce(%(currency)s, %(book_currency)s) AS currency, measure,
       CASE WHEN whole > 0 THEN round(measure::numeric(60, 30) / whole, 4) END AS share,
       CASE WHEN %(method)s = 'abc' AND total > 0 THEN round(larger::numeric(60, 30) / total, 4) END AS share_before,
       CASE WHEN %(method)s = 'xyz' THEN round(sqrt(spread::numeric(140, 60)) / abs(nullif(measure, 0)), 4) END AS variation,
       CASE WHEN %(method)s = 'bcg' THEN before END AS before,
       CASE WHEN %(method)s = 'bcg' AND before > 0 THEN round((measure - before)::numeric(60, 30) / before, 4) END AS growth,
       CASE %(method)s
       WHEN 'abc' THEN
           CASE WHEN measure <= 0 OR larger * 100 >= total * %(upper)s THEN 'C'
                WHEN larger * 100 >= total * %(lower)s THEN 'B' ELSE 'A' END
       WHEN 'xyz' THEN
           CASE WHEN measure <= 0 OR spread * 10000 > measure * measure * %(upper)s * %(upper)s THEN 'Z'
                WHEN spread * 10000 > measure * measure * %(lower)s * %(lower)s THEN 'Y' ELSE 'X' END
       ELSE
           CASE WHEN large THEN CASE WHEN growing THEN 'star' ELSE 'cash_cow' END
                WHEN growing THEN 'question_mark' ELSE 'dog' END
       END AS class
  FROM compared
