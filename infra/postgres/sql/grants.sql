-- What others than the owner may do with the tables and views of one schema, as statements that let them do it with those
-- of the same name in another. Months need none: they are asked by way of their table.
SELECT format('GRANT %%s ON %%I.%%I TO %%s%%s', a.privilege_type, %(target)s::text, c.relname,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM pg_class c
 CROSS JOIN LATERAL aclexplode(c.relacl) a
 WHERE c.relnamespace = %(source)s::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
   AND a.grantee <> c.relowner
   AND EXISTS (SELECT FROM pg_class t WHERE t.relnamespace = %(target)s::regnamespace AND t.relname = c.relname)
