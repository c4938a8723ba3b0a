-- A table's columns, and how to read them so that only what is written alike is equal: as numbers, and in JSON, 1.0 is 1.00.
SELECT string_agg(format('%%I', attname), ', ' ORDER BY attnum),
       string_agg(format(CASE WHEN atttypid IN ('numeric'::regtype, 'jsonb'::regtype) THEN '%%I::text' ELSE '%%I' END,
                         attname), ', ' ORDER BY attnum)
  FROM pg_attribute
 WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
