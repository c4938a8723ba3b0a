-- The end of a day that was over when an event of it became known: what it was by all that was known before the event,
-- and what it is with it. A movement is looked for among those of its product, and no others, up to the last day asked for.
WITH line AS NOT MATERIALIZED (
    SELECT position, type, effective_at, effective_on, recorded_at, product, warehouse,
           on_hand, 0 AS reserved, 0 AS in_transit, 0 AS incoming
      FROM stock_between('-infinity', end_of(%(on)s, %(time_zone)s))
     UNION ALL
    SELECT position, type, effective_at, effective_on, recorded_at, product, warehouse,
           0, reserved, in_transit, incoming
      FROM stock_promise_between('-infinity', end_of(%(on)s, %(time_zone)s))
), late AS (
    SELECT DISTINCT product FROM line
     WHERE position > %(after_)s AND (%(known_at)s IS NULL OR position <= %(known_at)s) AND effective_at <= %(moment)s
       AND effective_on < (recorded_at AT TIME ZONE %(time_zone)s)::date
       AND (%(product)s IS NULL OR product = %(product)s)
       AND (%(warehouse)s IS NULL OR warehouse = %(warehouse)s)
), moved AS (
    SELECT position, type, effective_on AS "on", product, warehouse, figure, sum(amount) AS amount,
           position > %(after_)s AND effective_at <= %(moment)s
               AND effective_on < (recorded_at AT TIME ZONE %(time_zone)s)::date AS backdated
      FROM late JOIN line USING (product),
           LATERAL (VALUES ('on_hand', on_hand), ('reserved', reserved), ('in_transit', in_transit),
                           ('incoming', incoming)) AS part (figure, amount)
     WHERE amount <> 0 AND (%(known_at)s IS NULL OR position <= %(known_at)s)
       AND (%(product)s IS NULL OR line.product = %(product)s)
       AND (%(warehouse)s IS NULL OR warehouse = %(warehouse)s)
     GROUP BY position, type, effective_at, effective_on, recorded_at, product, warehouse, figure
    HAVING sum(amount) <> 0
), {restated}
