SELECT CASE WHEN 'client' = ANY (%(group_by)s) THEN client END AS client,
       CASE WHEN 'bank_account' = ANY (%(group_by)s) THEN bank_account END AS bank_account,
       CASE WHEN 'direction' = ANY (%(group_by)s) THEN direction END AS direction, currency,
       sum(received) AS received, sum(refunded) AS refunded, sum(bounced) AS bounced,
       sum(received - refunded - bounced) AS net
  FROM (
    SELECT client, bank_account, direction, currency,
           received_in AS received, refunded_in AS refunded, bounced_in AS bounced
      FROM payments_flows(%(from_)s, %(to)s, %(known_at)s)
     WHERE %(as_of)s IS NULL
     UNION ALL
    SELECT client, bank_account, direction, currency, received, refunded, bounced
      FROM payments_between(start_of(%(from_)s, %(time_zone)s), LEAST(end_of(%(to)s, %(time_zone)s), %(as_of)s))
     WHERE %(as_of)s IS NOT NULL AND (%(known_at)s IS NULL OR position <= %(known_at)s)
  ) flows
 WHERE (%(client)s IS NULL OR client = %(client)s)
   AND (%(bank_account)s IS NULL OR bank_account = %(bank_account)s)
   AND (%(direction)s IS NULL OR direction = %(direction)s)
   AND (%(currency)s IS NULL OR currency = %(currency)s)
 GROUP BY 1, 2, 3, 4
