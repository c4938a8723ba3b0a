SELECT position, amount AS balance, CASE kind WHEN 'invoice' THEN amount END AS gross, NULL::numeric AS sales
  FROM (
    SELECT *, sum(amount) OVER (PARTITION BY client, counterparty, kind, document, due_on) AS open
      FROM receivables_between('-infinity', LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s))
     WHERE (%(known_at)s IS NULL OR position <= %(known_at)s)
       AND (%(client)s IS NULL OR client = %(client)s) AND currency = coalesce(%(currency)s, %(book_currency)s)
  ) moved
 WHERE open <> 0
 UNION ALL
SELECT position, NULL, NULL, amount
  FROM sales_between(start_of(%(from_)s, %(time_zone)s), LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s))
 WHERE (%(known_at)s IS NULL OR position <= %(known_at)s)
   AND (%(client)s IS NULL OR client = %(client)s) AND currency = coalesce(%(currency)s, %(book_currency)s)
