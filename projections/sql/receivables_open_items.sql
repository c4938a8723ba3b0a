-- OFFSET 0: each invoice is looked up by its key, however few of all of them the planner expects.
SELECT r.document AS invoice, r.client, r.counterparty, r.currency, (c.facts ->> 'issued_on')::date AS issued_on,
       r.due_on,
       (SELECT sum((term ->> 'amount')::numeric) FROM jsonb_array_elements(c.facts -> 'terms') AS term
         WHERE (term ->> 'due_on')::date = r.due_on) AS amount,
       r.amount AS open, %(on)s - r.due_on AS overdue_days
  FROM receivables_balances(%(as_of)s, %(known_at)s, %(moment)s) r
  CROSS JOIN LATERAL (SELECT facts FROM invoice WHERE key = r.document OFFSET 0) c
 WHERE r.kind = 'invoice' AND r.amount <> 0
   AND (%(client)s IS NULL OR r.client = %(client)s)
   AND (%(counterparty)s IS NULL OR r.counterparty = %(counterparty)s)
   AND (%(currency)s IS NULL OR r.currency = %(currency)s)
