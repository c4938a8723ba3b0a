-- Classes are decided by products, not quotients, so that what lies on a bound lies on it exactly. Single months matter to
-- xyz alone: nobody knows which they are while its question is planned, so that takes longer.
WITH month AS (
    SELECT GREATEST(%(from_)s, month::date) AS first, LEAST(%(to)s, (month + interval '1 month')::date - 1) AS last
      FROM generate_series(date_trunc('month', %(from_)s::timestamp), %(to)s::timestamp, interval '1 month') AS month
), flowed AS (
    SELECT 'sales' AS measure, 'whole' AS of, NULL::date AS month, client, currency, amount_in - amount_out AS amount
      FROM sales_flows(%(from_)s, %(to)s, %(known_at)s, %(moment)s)
     UNION ALL
    SELECT 'sales', 'month', first, client, currency, amount_in - amount_out
      FROM month, sales_flows(first, last, %(known_at)s, %(moment)s)
     UNION ALL
    SELECT 'payments', 'whole', NULL, client, currency,
           received_in - received_out - refunded_in + refunded_out - bounced_in + bounced_out
      FROM payments_flows(%(from_)s, %(to)s, %(known_at)s, %(moment)s)
     UNION ALL
    SELECT 'payments', 'month', first, client, currency,
           received_in - received_out - refunded_in + refunded_out - bounced_in + bounced_out
      FROM month, payments_flows(first, last, %(known_at)s, %(moment)s)
), flowed_before AS (
    SELECT 'sales' AS measure, client, currency, amount_in - amount_out AS amount
      FROM sales_flows(%(before)s, %(from_)s - 1, %(known_at)s, %(moment)s)
     UNION ALL
    SELECT 'payments', client, currency,
           received_in - received_out - refunded_in + refunded_out - bounced_in + bounced_out
      FROM payments_flows(%(before)s, %(from_)s - 1, %(known_at)s, %(moment)s)
), monthly AS (
    SELECT client, sum(amount) AS amount
      FROM flowed
     WHERE of = CASE %(method)s WHEN 'xyz' THEN 'month' ELSE 'whole' END
       AND measure = %(measure)s AND currency = coalesce(%(currency)s, %(book_currency)s)
     GROUP BY client, month
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
