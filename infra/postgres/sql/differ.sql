-- Rows that only one of two logs has, up to a position. As text, to be told.
WITH old AS (SELECT position, row::text AS said FROM {old} AS row WHERE position <= %(upto)s),
     new AS (SELECT position, row::text AS said FROM {new} AS row WHERE position <= %(upto)s)
SELECT * FROM (
    SELECT 'current' AS only_in, * FROM (SELECT * FROM old EXCEPT ALL SELECT * FROM new) gone
     UNION ALL
    SELECT 'filled', * FROM (SELECT * FROM new EXCEPT ALL SELECT * FROM old) come
) differing
 ORDER BY position, only_in
 LIMIT %(most)s
