WITH credit AS (
    SELECT (facts ->> 'amount')::numeric AS amount, facts ->> 'currency' AS currency
      FROM debtor_cards(%(as_of)s, %(known_at)s, %(moment)s)
     WHERE key = %(client)s
), owed AS (
    SELECT coalesce(sum(amount), 0) AS exposure
      FROM receivables_balances(%(as_of)s, %(known_at)s, %(moment)s)
     WHERE client = %(client)s AND currency = coalesce((SELECT currency FROM credit), %(book_currency)s)
)
SELECT debtor.key AS client, coalesce(credit.currency, %(book_currency)s) AS currency, exposure,
       credit.amount AS "limit", credit.amount - exposure AS available
  FROM debtor_at('infinity', %(known_at)s) debtor CROSS JOIN owed LEFT JOIN credit ON true
 WHERE debtor.key = %(client)s AND debtor.facts ? ('client.' || %(client)s)
