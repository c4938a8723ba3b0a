-- Deals and their amounts by the state they are in, and by what they are grouped by; a state without deals has a row, too.
WITH {moves}, told AS (
    SELECT * FROM deal_facts
     WHERE pipeline = %(pipeline)s
       AND effective_at <= %(moment)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
), worth AS (
    SELECT DISTINCT ON (deal) deal, amount, currency FROM told WHERE amount IS NOT NULL
     ORDER BY deal, effective_at DESC, position DESC
), owned AS (
    SELECT DISTINCT ON (deal) deal, owner FROM told WHERE owner IS NOT NULL AND 'owner' = ANY (%(group_by)s)
     ORDER BY deal, effective_at DESC, position DESC
), opened AS (
    SELECT deal, client, CASE WHEN 'source' = ANY (%(group_by)s) THEN source END AS source
      FROM told WHERE type = 'deal.opened'
), belongs AS (
    SELECT DISTINCT ON (client) client, segment FROM client_segment
     WHERE 'segment' = ANY (%(group_by)s)
       AND effective_at <= %(moment)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
     ORDER BY client, effective_at DESC, position DESC
), deal AS (
    SELECT deal, state, owner, source, segment,
           CASE WHEN currency = coalesce(%(currency)s, %(book_currency)s) THEN amount ELSE 0 END AS amount
      FROM move LEFT JOIN worth USING (deal) LEFT JOIN owned USING (deal) LEFT JOIN opened USING (deal)
                LEFT JOIN belongs USING (client)
     WHERE left_at IS NULL
)
SELECT n, state, name, probability, owner, source, segment, count(deal) AS deals, coalesce(sum(amount), 0) AS amount
  FROM state LEFT JOIN deal USING (state)
 WHERE n > 0
 GROUP BY n, state, name, probability, owner, source, segment
 ORDER BY n
