-- What a client brought, by month, and what all did against which it is measured: the whole, and the larger ones before it.
WITH span AS (
    SELECT start_of(CASE %(method)s WHEN 'bcg' THEN %(before)s ELSE %(from_)s END, %(time_zone)s) AS starts,
           LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s) AS ends
), moved AS (
    SELECT 'sales' AS measure, position, client, currency, effective_on, amount
      FROM span, sales_between(starts, ends)
     UNION ALL
    SELECT 'payments', position, client, currency, effective_on, received - refunded - bounced
      FROM span, payments_between(starts, ends)
), known AS (
    SELECT position, client, effective_on, amount FROM moved
     WHERE measure = %(measure)s AND currency = coalesce(%(currency)s, %(book_currency)s)
       AND (%(known_at)s IS NULL OR position <= %(known_at)s)
), brought AS (
    SELECT position, client, to_char(effective_on, 'YYYY-MM') AS month, amount FROM known
     WHERE effective_on >= %(from_)s
), ranked AS (
    SELECT client, sum(amount) AS measure, row_number() OVER (ORDER BY sum(amount) DESC, client) AS rank
      FROM brought GROUP BY client
)
SELECT position, %(client)s AS client, CASE client WHEN %(client)s THEN amount END AS measure,
       CASE WHEN ranked.measure > 0 AND (%(method)s <> 'bcg' OR rank = 1) THEN amount END AS whole,
       CASE WHEN ranked.measure > 0 AND %(method)s = 'abc'
             AND rank < (SELECT rank FROM ranked WHERE client = %(client)s) THEN amount END AS larger,
       NULL::numeric AS before, month
  FROM brought JOIN ranked USING (client)
 UNION ALL
SELECT position, client, NULL, NULL, NULL, amount, NULL FROM known
 WHERE %(method)s = 'bcg' AND client = %(client)s AND effective_on >= %(before)s AND effective_on < %(from_)s
 UNION ALL   -- each month counts, also one without any
SELECT NULL, %(client)s, 0, NULL, NULL, NULL, to_char(month, 'YYYY-MM')
  FROM generate_series(date_trunc('month', %(from_)s::timestamp), %(to)s, interval '1 month') AS month
