-- As of stock, by client, counterparty and currency. Gross are the invoices, without unapplied.
WITH late AS (
    SELECT DISTINCT client FROM receivables_between('-infinity', %(moment)s)
     WHERE position > %(after_)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
       AND effective_on < (recorded_at AT TIME ZONE %(time_zone)s)::date
       AND (%(client)s IS NULL OR client = %(client)s)
       AND (%(counterparty)s IS NULL OR counterparty = %(counterparty)s)
       AND (%(currency)s IS NULL OR currency = %(currency)s)
), moved AS (
    SELECT position, type, effective_on AS "on", client, counterparty, currency, figure, sum(amount) AS amount,
           position > %(after_)s AND effective_at <= %(moment)s
               AND effective_on < (recorded_at AT TIME ZONE %(time_zone)s)::date AS backdated
      FROM late JOIN receivables_between('-infinity', end_of(%(on)s, %(time_zone)s)) moved USING (client),
           LATERAL (VALUES ('balance'), (CASE kind WHEN 'invoice' THEN 'gross' ELSE 'unapplied' END)) AS part (figure)
     WHERE (%(known_at)s IS NULL OR position <= %(known_at)s)
       AND (%(client)s IS NULL OR moved.client = %(client)s)
       AND (%(counterparty)s IS NULL OR counterparty = %(counterparty)s)
       AND (%(currency)s IS NULL OR currency = %(currency)s)
     GROUP BY position, type, effective_at, effective_on, recorded_at, client, counterparty, currency, figure
    HAVING sum(amount) <> 0
), {restated}
