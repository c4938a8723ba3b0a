-- What moved an item, and the invoice that told its amount and its day.
WITH moved AS (
    SELECT * FROM receivables_between('-infinity', %(moment)s)
     WHERE kind = 'invoice' AND (%(known_at)s IS NULL OR position <= %(known_at)s)
       AND (%(client)s IS NULL OR client = %(client)s)
       AND (%(counterparty)s IS NULL OR counterparty = %(counterparty)s)
       AND (%(currency)s IS NULL OR currency = %(currency)s)
       AND document = %(invoice)s AND due_on = %(due_on)s
), issued AS (
    SELECT position, (SELECT sum((term ->> 'amount')::numeric) FROM jsonb_array_elements(patch -> 'terms') AS term
                       WHERE (term ->> 'due_on')::date = %(due_on)s) AS amount
      FROM invoice_version
     WHERE key = %(invoice)s
)
SELECT position, client, counterparty, currency, document AS invoice, due_on, amount AS open, NULL AS amount,
       NULL::int AS overdue_days
  FROM moved
 UNION ALL
SELECT position, client, counterparty, currency, invoice, due_on, NULL, amount, %(on)s - due_on
  FROM issued, (SELECT DISTINCT client, counterparty, currency, document AS invoice, due_on FROM moved) item
