WITH credit AS (
    SELECT position, (patch ->> 'amount')::numeric AS amount, patch ->> 'currency' AS currency
      FROM debtor_version
     WHERE key = %(client)s AND patch ? 'amount'
       AND effective_at <= %(moment)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
     ORDER BY effective_at DESC, position DESC LIMIT 1
), moved AS (
    SELECT *, sum(amount) OVER (PARTITION BY counterparty, kind, document, due_on) AS open
      FROM receivables_between('-infinity', %(moment)s)
     WHERE client = %(client)s AND currency = coalesce((SELECT currency FROM credit), %(book_currency)s)
       AND (%(known_at)s IS NULL OR position <= %(known_at)s)
)
SELECT position, amount AS exposure, NULL::numeric AS "limit",
       CASE WHEN EXISTS (SELECT FROM credit) THEN -amount END AS available
  FROM moved WHERE open <> 0
 UNION ALL
SELECT position, NULL, amount, amount FROM credit
