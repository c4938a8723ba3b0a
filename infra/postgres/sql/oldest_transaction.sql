-- For how long the oldest transaction has been keeping what is updated or deleted from being cleared away.
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - begun)), 0)::double precision
  FROM (SELECT xact_start FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
        UNION ALL
        SELECT prepared FROM pg_prepared_xacts) AS transaction (begun)
