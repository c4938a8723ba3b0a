SELECT CASE WHEN 'product' = ANY (%(group_by)s) THEN product END AS product,
       CASE WHEN 'warehouse' = ANY (%(group_by)s) THEN warehouse END AS warehouse,
       CASE WHEN 'lot' = ANY (%(group_by)s) THEN lot END AS lot,
       sum(on_hand) AS on_hand
  FROM stock_at(%(as_of)s, %(known_at)s)
 WHERE (%(product)s IS NULL OR product = %(product)s)
   AND (%(warehouse)s IS NULL OR warehouse = %(warehouse)s)
   AND (%(lot)s IS NULL OR lot = %(lot)s)
 GROUP BY 1, 2, 3
HAVING sum(on_hand) <> 0
