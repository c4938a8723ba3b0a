-- Views outside of a schema that are made of its tables, views or types of rows.
SELECT DISTINCT v.oid::regclass::text
  FROM pg_class c
  JOIN pg_depend d ON (d.refclassid, d.refobjid) IN (('pg_class'::regclass, c.oid), ('pg_type'::regclass, c.reltype))
  JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  JOIN pg_class v ON v.oid = r.ev_class
 WHERE c.relnamespace = %(schema)s::regnamespace AND v.relnamespace <> c.relnamespace
 ORDER BY 1
