-- Only rows of this transaction: other partitions fill the same range of positions, before and after. Only the months of
-- the batch are looked at.
INSERT INTO {name}_turnover AS t (month, {dimensions}, {flows})
SELECT date_trunc('month', effective_on)::date, {dimensions}, {split_sums}
  FROM {name}_movement
 WHERE effective_at >= %(least)s::timestamptz AND effective_at <= %(greatest)s::timestamptz
   AND position BETWEEN %(first)s AND %(last)s AND xmin = (SELECT pg_current_xact_id()::xid)
 GROUP BY 1, {dimensions}
    ON CONFLICT ({dimensions}, month) DO UPDATE SET {flow_additions}
