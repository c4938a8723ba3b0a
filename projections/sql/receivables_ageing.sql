-- Overdue days = as_of − due date. The columns add up to the balance.
SELECT client, CASE WHEN %(by)s = 'counterparty' THEN counterparty END AS counterparty, currency,
       coalesce(sum(amount) FILTER (WHERE kind = 'invoice' AND %(on)s - due_on <= 0), 0) AS current,
       coalesce(sum(amount) FILTER (WHERE kind = 'invoice' AND %(on)s - due_on BETWEEN 1 AND 30), 0) AS d1_30,
       coalesce(sum(amount) FILTER (WHERE kind = 'invoice' AND %(on)s - due_on BETWEEN 31 AND 60), 0) AS d31_60,
       coalesce(sum(amount) FILTER (WHERE kind = 'invoice' AND %(on)s - due_on BETWEEN 61 AND 90), 0) AS d61_90,
       coalesce(sum(amount) FILTER (WHERE kind = 'invoice' AND %(on)s - due_on > 90), 0) AS over_90,
       coalesce(sum(amount) FILTER (WHERE kind = 'payment'), 0) AS unapplied,
       sum(amount) AS balance
  FROM receivables_balances(%(as_of)s, %(known_at)s, %(moment)s)
 WHERE amount <> 0
   AND (%(client)s IS NULL OR client = %(client)s)
   AND (%(counterparty)s IS NULL OR counterparty = %(counterparty)s)
   AND (%(currency)s IS NULL OR currency = %(currency)s)
 GROUP BY 1, 2, 3
