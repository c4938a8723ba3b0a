-- Gives the rows that add up to nothing now. To look for them by their dimensions, which may be null, would be to
-- compare each with each.
WITH changed AS (
    INSERT INTO {name}_balance AS t ({dimensions}, {resources})
    SELECT {dimensions}, {sums}
      FROM {name}_movement
     WHERE effective_at >= %(least)s::timestamptz AND effective_at <= %(greatest)s::timestamptz
       AND position BETWEEN %(first)s AND %(last)s AND xmin = (SELECT pg_current_xact_id()::xid)
     GROUP BY {dimensions}
        ON CONFLICT ({dimensions}) DO UPDATE SET {additions}
    RETURNING t.ctid AS place, {all_zero} AS settled
)
SELECT place FROM changed WHERE settled
