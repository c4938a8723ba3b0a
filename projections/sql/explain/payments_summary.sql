SELECT position,
       CASE WHEN 'client' = ANY (%(group_by)s) THEN client END AS client,
       CASE WHEN 'bank_account' = ANY (%(group_by)s) THEN bank_account END AS bank_account,
       CASE WHEN 'direction' = ANY (%(group_by)s) THEN direction END AS direction, currency,
       received, refunded, bounced, received - refunded - bounced AS net
  FROM payments_between(start_of(%(from_)s, %(time_zone)s), LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s))
 WHERE (%(known_at)s IS NULL OR position <= %(known_at)s)
   AND (%(client)s IS NULL OR client = %(client)s)
   AND (%(bank_account)s IS NULL OR bank_account = %(bank_account)s)
   AND (%(direction)s IS NULL OR direction = %(direction)s)
   AND (%(currency)s IS NULL OR currency = %(currency)s)
