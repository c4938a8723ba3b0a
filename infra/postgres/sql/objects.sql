-- What a schema holds, as ALTER … SET SCHEMA and DROP take it. Indexes go with their tables.
SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END || format(' %%I', c.relname) AS object
  FROM pg_class c
 WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'c') AND NOT c.relispartition
 UNION ALL
SELECT format('FUNCTION %%I(%%s)', p.proname, pg_get_function_identity_arguments(p.oid))
  FROM pg_proc p
 WHERE p.pronamespace = %(schema)s::regnamespace
 ORDER BY object
