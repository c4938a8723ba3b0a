SELECT position, line, type AS event_type, effective_at, recorded_at, product, warehouse, lot, on_hand AS quantity,
       coalesce(lost, 0) AS lost, document, reason, cost, currency
  FROM stock_between(coalesce(start_of(%(from_)s, %(time_zone)s), '-infinity'),
                     LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s))
 WHERE (%(known_at)s IS NULL OR position <= %(known_at)s)
   AND (%(product)s IS NULL OR product = %(product)s)
   AND (%(warehouse)s IS NULL OR warehouse = %(warehouse)s)
   AND (%(lot)s IS NULL OR lot = %(lot)s)
