-- Each deal in the state it is in, with what it is worth and what it is grouped by, and the events that said so.
{moves}, told AS (
    SELECT * FROM deal_facts
     WHERE pipeline = %(pipeline)s
       AND effective_at <= %(moment)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
), worth AS (
    SELECT DISTINCT ON (deal) deal, amount, currency, position AS told_by FROM told WHERE amount IS NOT NULL
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
    SELECT deal, state, owner, source, segment, position AS put_by, told_by,
           CASE WHEN currency = coalesce(%(currency)s, %(book_currency)s) THEN amount ELSE 0 END AS amount
      FROM move LEFT JOIN worth USING (deal) LEFT JOIN owned USING (deal) LEFT JOIN opened USING (deal)
                LEFT JOIN belongs USING (client)
     WHERE left_at IS NULL
)
