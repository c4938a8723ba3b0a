SELECT coalesce(nullif(a.application_name, ''), a.usename, a.backend_type) || ', process ' || a.pid
       || ', in a transaction since ' || to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SSOF')
  FROM pg_stat_activity a
 WHERE a.pid <> pg_backend_pid()
   AND EXISTS (SELECT FROM pg_locks l
                 JOIN pg_class c ON c.oid = l.relation
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE l.pid = a.pid AND l.granted AND l.locktype = 'relation' AND n.nspname = ANY (%(schemas)s))
 ORDER BY a.xact_start
 LIMIT 5
