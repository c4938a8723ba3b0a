SELECT CASE WHEN 'client' = ANY (%(group_by)s) THEN client END AS client,
       CASE WHEN 'bank_account' = ANY (%(group_by)s) THEN bank_account END AS bank_account,
       CASE WHEN 'direction' = ANY (%(group_by)s) THEN direction END AS direction, currency,
       sum(received_in) AS received, sum(refunded_in) AS refunded, sum(bounced_in) AS bounced,
       sum(received_in - refunded_in - bounced_in) AS net
  FROM payments_flows(%(from_)s, %(to)s, %(known_at)s, %(moment)s)
 WHERE (%(client)s IS NULL OR client = %(client)s)
   AND (%(bank_account)s IS NULL OR bank_account = %(bank_account)s)
   AND (%(direction)s IS NULL OR direction = %(direction)s)
   AND (%(currency)s IS NULL OR currency = %(currency)s)
 GROUP BY 1, 2, 3, 4
