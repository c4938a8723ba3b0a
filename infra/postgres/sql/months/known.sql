-- The months of a register, by the names of their tables: when each begins and ends, whether its table is attached, and
-- whether what needs its movements is refused.
WITH attached AS (
    SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month, bound[1]::timestamptz AS starts, bound[2]::timestamptz AS ends
      FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid
     CROSS JOIN regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(.*)''\) TO \(''(.*)''\)') AS bound
     WHERE i.inhparent = '{log}'::regclass
)
SELECT month, coalesce(a.starts, d.starts) AS starts, coalesce(a.ends, d.ends) AS ends,
       a.month IS NOT NULL AS is_attached, d.month IS NOT NULL AS is_refused
  FROM attached a FULL JOIN {name}_detached d USING (month)
