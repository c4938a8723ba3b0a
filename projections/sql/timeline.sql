SELECT effective_at, recorded_at, position, line, type, about, summary, amount, currency
  FROM timeline
 WHERE client = %(client)s
   AND effective_at <= %(moment)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
