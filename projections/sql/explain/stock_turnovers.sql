-- What was there before the period, and what moved in it; each as the turnover counts it, issues as positive numbers.
SELECT position,
       CASE WHEN 'product' = ANY (%(group_by)s) THEN product END AS product,
       CASE WHEN 'warehouse' = ANY (%(group_by)s) THEN warehouse END AS warehouse,
       CASE WHEN 'lot' = ANY (%(group_by)s) THEN lot END AS lot,
       CASE WHEN effective_on < %(from_)s THEN on_hand END AS opening,
       CASE WHEN effective_on >= %(from_)s THEN greatest(on_hand, 0) END AS received,
       CASE WHEN effective_on >= %(from_)s THEN greatest(-on_hand, 0) END AS issued,
       on_hand AS closing
  FROM stock_between('-infinity', LEAST(end_of(%(to)s, %(time_zone)s), %(moment)s))
 WHERE (%(known_at)s IS NULL OR position <= %(known_at)s)
   AND (%(product)s IS NULL OR product = %(product)s)
   AND (%(warehouse)s IS NULL OR warehouse = %(warehouse)s)
   AND (%(lot)s IS NULL OR lot = %(lot)s)
