-- Only rows of this transaction: other partitions fill the same range of positions, before and after. Only the months of
-- the batch are looked at. In order, so that two who add to the same rows wait for each other and not in a circle.
-- Gives the rows that add up to nothing now. To look for them by their dimensions, which may be null, would be to
-- compare each with each.
WITH moved AS MATERIALIZED (
    SELECT date_trunc('month', effective_on::timestamp)::date AS month, {dimensions}, {named_split_sums}
      FROM {name}_movement
     WHERE effective_at >= %(least)s::timestamptz AND effective_at <= %(greatest)s::timestamptz
       AND position BETWEEN %(first)s AND %(last)s AND xmin = (SELECT pg_current_xact_id()::xid)
     GROUP BY 1, {dimensions}
     ORDER BY {dimensions}, 1
), turned AS (
    INSERT INTO {name}_turnover AS t (month, {dimensions}, {flows})
    SELECT month, {dimensions}, {flows} FROM moved
        ON CONFLICT ({dimensions}, month) DO UPDATE SET {flow_additions}
), changed AS (
    INSERT INTO {name}_balance AS t ({dimensions}, {resources})
    SELECT {dimensions}, {net_sums} FROM moved GROUP BY {dimensions} ORDER BY {dimensions}
        ON CONFLICT ({dimensions}) DO UPDATE SET {additions}
    RETURNING t.ctid AS place, {all_zero} AS settled
)
SELECT place FROM changed WHERE settled
