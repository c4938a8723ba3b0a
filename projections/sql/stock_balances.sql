-- available = on_hand − reserved; forecast = available + incoming. A reservation and an order are of no lot.
WITH parts AS (
    SELECT product, warehouse, lot, on_hand, 0 AS reserved, 0 AS in_transit, 0 AS incoming
      FROM stock_balances(%(as_of)s, %(known_at)s, %(moment)s)
     UNION ALL
    SELECT product, warehouse, lot, 0, reserved, in_transit, incoming
      FROM stock_promise_balances(%(as_of)s, %(known_at)s, %(moment)s)
)
SELECT CASE WHEN 'product' = ANY (%(group_by)s) THEN product END AS product,
       CASE WHEN 'warehouse' = ANY (%(group_by)s) THEN warehouse END AS warehouse,
       CASE WHEN 'lot' = ANY (%(group_by)s) THEN lot END AS lot,
       sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(on_hand - reserved) AS available,
       sum(in_transit) AS in_transit, sum(incoming) AS incoming, sum(on_hand - reserved + incoming) AS forecast
  FROM parts
 WHERE (%(product)s IS NULL OR product = %(product)s)
   AND (%(warehouse)s IS NULL OR warehouse = %(warehouse)s)
   AND (%(lot)s IS NULL OR lot = %(lot)s)
 GROUP BY 1, 2, 3
HAVING sum(on_hand) <> 0 OR sum(reserved) <> 0 OR sum(in_transit) <> 0 OR sum(incoming) <> 0
