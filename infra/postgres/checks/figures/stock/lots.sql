-- What is on hand of a product in a warehouse is the sum over its lots of the movements that have taken effect.
-- Once stock has a value, it is held to the quantity in a file beside this one: nothing on hand is worth nothing.
WITH answered AS (
{stock_balances}
), moved AS (
    SELECT product, warehouse, sum(on_hand) AS on_hand
      FROM (SELECT product, warehouse, lot, sum(on_hand) AS on_hand
              FROM stock_movement
             WHERE effective_at <= %(moment)s
               AND NOT EXISTS (SELECT FROM stock_detached WHERE effective_at >= starts AND effective_at < ends)
             GROUP BY product, warehouse, lot
             UNION ALL
            SELECT product, warehouse, lot, on_hand_in - on_hand_out
              FROM stock_turnover WHERE month IN (SELECT month FROM stock_detached)) lots
     GROUP BY product, warehouse
), wrong AS (
    SELECT product, warehouse, a.on_hand AS found, coalesce(m.on_hand, 0) AS expected
      FROM answered a FULL JOIN moved m USING (product, warehouse)
     WHERE coalesce(a.on_hand, 0) <> coalesce(m.on_hand, 0)
)
SELECT total, json_build_object('figure', '/v1/stock/balances', 'product', product, 'warehouse', warehouse) AS cell,
       'on_hand' AS figure, found::text, expected::text,
       ARRAY(SELECT DISTINCT m.position
               FROM stock_movement m
              WHERE (m.product, m.warehouse) = (wrong.product, wrong.warehouse)
              ORDER BY m.position LIMIT %(first)s) AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY product, warehouse LIMIT %(most)s) wrong
