-- One row an entry, each with the opening; one without a document if there are none. What moves nothing is no entry.
WITH {debtor}, opening AS (
    SELECT coalesce(sum(amount), 0) AS opening
      FROM receivables_balances(LEAST(end_of(%(from_)s - 1, %(time_zone)s), %(moment)s), %(known_at)s, %(moment)s)
     WHERE (%(client)s IS NULL OR client = %(client)s)
       AND (%(counterparty)s IS NULL OR counterparty = %(counterparty)s AND client = ANY (ARRAY(TABLE its_client)))
       AND currency = coalesce(%(currency)s, %(book_currency)s)
), entry AS (
    SELECT position, effective_at, type, min(effective_on) AS "on", (array_agg(entry ORDER BY line))[1] AS document,
           sum(amount) AS amount
      FROM receivables_between(start_of(%(from_)s, %(time_zone)s), LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s))
     WHERE (%(client)s IS NULL OR client = %(client)s)
       AND (%(counterparty)s IS NULL OR counterparty = %(counterparty)s AND client = ANY (ARRAY(TABLE its_client)))
       AND currency = coalesce(%(currency)s, %(book_currency)s)
       AND (%(known_at)s IS NULL OR position <= %(known_at)s)
     GROUP BY position, effective_at, type
    HAVING sum(amount) <> 0
)
SELECT opening, "on", document, type, amount
  FROM opening LEFT JOIN entry ON true
 WHERE (%(client)s IS NULL OR EXISTS (
           SELECT FROM debtor WHERE key = %(client)s AND facts ? ('client.' || %(client)s)))
   AND (%(counterparty)s IS NULL OR coalesce(%(client)s = ANY (TABLE its_client), EXISTS (TABLE its_client)))
 ORDER BY effective_at, position
