-- opening + received − issued = closing, for every row. A period ends at as_of, if that is earlier than its last day.
WITH parts AS (
    SELECT product, warehouse, lot, on_hand AS opening, 0 AS received, 0 AS issued
      FROM stock_balances(LEAST(end_of(%(from_)s - 1, %(time_zone)s), %(moment)s), %(known_at)s, %(moment)s)
     UNION ALL
    SELECT product, warehouse, lot, 0, on_hand_in, on_hand_out
      FROM stock_flows(%(from_)s, %(to)s, %(known_at)s, %(moment)s)
)
SELECT CASE WHEN 'product' = ANY (%(group_by)s) THEN product END AS product,
       CASE WHEN 'warehouse' = ANY (%(group_by)s) THEN warehouse END AS warehouse,
       CASE WHEN 'lot' = ANY (%(group_by)s) THEN lot END AS lot,
       sum(opening) AS opening, sum(received) AS received, sum(issued) AS issued,
       sum(opening + received - issued) AS closing
  FROM parts
 WHERE (%(product)s IS NULL OR product = %(product)s)
   AND (%(warehouse)s IS NULL OR warehouse = %(warehouse)s)
   AND (%(lot)s IS NULL OR lot = %(lot)s)
 GROUP BY 1, 2, 3
HAVING sum(opening) <> 0 OR sum(received) <> 0 OR sum(issued) <> 0
