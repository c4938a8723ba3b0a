-- The tables of months of such tables in a schema, be they attached or not.
SELECT c.relname
  FROM pg_class c JOIN unnest(%(tables)s::text[]) AS log ON c.relname ~ ('^' || log || '_[0-9]{4}_[0-9]{2}$')
 WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r'
 ORDER BY c.relname
