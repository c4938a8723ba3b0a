SELECT position,
       CASE WHEN 'product' = ANY (%(group_by)s) THEN product END AS product,
       CASE WHEN 'warehouse' = ANY (%(group_by)s) THEN warehouse END AS warehouse,
       CASE WHEN 'lot' = ANY (%(group_by)s) THEN lot END AS lot,
       on_hand, reserved, on_hand - reserved AS available, in_transit, incoming,
       on_hand - reserved + incoming AS forecast
  FROM (
    SELECT position, effective_at, product, warehouse, lot, on_hand, 0 AS reserved, 0 AS in_transit, 0 AS incoming
      FROM stock_between('-infinity', %(moment)s)
     UNION ALL
    SELECT position, effective_at, product, warehouse, lot, 0, reserved, in_transit, incoming
      FROM stock_promise_between('-infinity', %(moment)s)
  ) moved
 WHERE (%(known_at)s IS NULL OR position <= %(known_at)s)
   AND (%(product)s IS NULL OR product = %(product)s)
   AND (%(warehouse)s IS NULL OR warehouse = %(warehouse)s)
   AND (%(lot)s IS NULL OR lot = %(lot)s)
