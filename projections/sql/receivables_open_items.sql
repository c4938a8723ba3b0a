SELECT r.document AS invoice, r.client, r.counterparty, r.currency, (c.facts ->> 'issued_on')::date AS issued_on,
       r.due_on, (c.facts ->> 'amount')::numeric AS amount, r.amount AS open, %(on)s - r.due_on AS overdue_days
  FROM receivables_at(%(as_of)s, %(known_at)s) r
  JOIN invoice c ON c.key = r.document
 WHERE r.kind = 'invoice' AND r.amount <> 0
   AND (%(client)s IS NULL OR r.client = %(client)s)
   AND (%(counterparty)s IS NULL OR r.counterparty = %(counterparty)s)
   AND (%(currency)s IS NULL OR r.currency = %(currency)s)
