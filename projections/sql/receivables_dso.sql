-- Balance at the end / net sales of the period × its days.
WITH owed AS (
    SELECT coalesce(sum(amount), 0) AS balance, coalesce(sum(amount) FILTER (WHERE kind = 'invoice'), 0) AS gross
      FROM receivables_balances(LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s), %(known_at)s, %(moment)s)
     WHERE (%(client)s IS NULL OR client = %(client)s) AND currency = coalesce(%(currency)s, %(book_currency)s)
), sold AS (
    SELECT coalesce(sum(amount_in - amount_out), 0) AS sales
      FROM sales_flows(%(from_)s, %(to)s, %(known_at)s, %(moment)s)
     WHERE (%(client)s IS NULL OR client = %(client)s) AND currency = coalesce(%(currency)s, %(book_currency)s)
), period AS (
    SELECT greatest(%(to)s - %(from_)s + 1, 0) AS days
)
SELECT coalesce(%(currency)s, %(book_currency)s) AS currency, balance, gross, sales, days,
       round(balance * days / nullif(sales, 0), 2) AS dso_net, round(gross * days / nullif(sales, 0), 2) AS dso_gross
  FROM owed, sold, period
 WHERE %(client)s IS NULL OR EXISTS (
           SELECT FROM debtor_at('infinity', %(known_at)s) WHERE key = %(client)s AND facts ? ('client.' || %(client)s))
