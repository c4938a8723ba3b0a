-- Items that are settled contribute nothing, and neither do their events.
SELECT position, client, CASE WHEN %(by)s = 'counterparty' THEN counterparty END AS counterparty, currency,
       CASE WHEN kind = 'invoice' AND %(on)s - due_on <= 0 THEN amount END AS current,
       CASE WHEN kind = 'invoice' AND %(on)s - due_on BETWEEN 1 AND 30 THEN amount END AS d1_30,
       CASE WHEN kind = 'invoice' AND %(on)s - due_on BETWEEN 31 AND 60 THEN amount END AS d31_60,
       CASE WHEN kind = 'invoice' AND %(on)s - due_on BETWEEN 61 AND 90 THEN amount END AS d61_90,
       CASE WHEN kind = 'invoice' AND %(on)s - due_on > 90 THEN amount END AS over_90,
       CASE WHEN kind = 'payment' THEN amount END AS unapplied,
       amount AS balance
  FROM (
    SELECT *, sum(amount) OVER (PARTITION BY client, counterparty, currency, kind, document, due_on) AS open
      FROM receivables_between('-infinity', %(moment)s)
     WHERE (%(known_at)s IS NULL OR position <= %(known_at)s)
       AND (%(client)s IS NULL OR client = %(client)s)
       AND (%(counterparty)s IS NULL OR counterparty = %(counterparty)s)
       AND (%(currency)s IS NULL OR currency = %(currency)s)
  ) moved
 WHERE open <> 0
