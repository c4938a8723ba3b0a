-- What was settled before the period contributes nothing to its opening. The entries are numbered as they are shown.
WITH {debtor}, moved AS (
    SELECT * FROM receivables_between('-infinity', LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s))
     WHERE (%(client)s IS NULL OR client = %(client)s)
       AND (%(counterparty)s IS NULL OR counterparty = %(counterparty)s AND client = ANY (ARRAY(TABLE its_client)))
       AND currency = coalesce(%(currency)s, %(book_currency)s)
       AND (%(known_at)s IS NULL OR position <= %(known_at)s)
), brought AS (
    SELECT *, sum(amount) OVER (PARTITION BY client, counterparty, kind, document, due_on) AS open
      FROM moved WHERE effective_on < %(from_)s
), entry AS (
    SELECT row_number() OVER (ORDER BY effective_at, position) AS entry, position, sum(amount) AS amount
      FROM moved
     WHERE effective_on >= %(from_)s
     GROUP BY position, effective_at
    HAVING sum(amount) <> 0
)
SELECT position, NULL::bigint AS entry, amount AS opening, NULL AS debit, NULL AS debits, NULL AS credit,
       NULL AS credits, amount AS closing
  FROM brought WHERE open <> 0
 UNION ALL
SELECT position, entry, NULL, greatest(amount, 0), greatest(amount, 0), greatest(-amount, 0), greatest(-amount, 0), amount
  FROM entry
