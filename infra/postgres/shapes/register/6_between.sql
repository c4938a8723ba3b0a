-- All movements that took effect from one moment to another, both included. Whatever reads movements reads them here, so
-- that it looks at no month in vain and misses none: an error if one of them is detached. Inlined into the query that uses
-- it. OFFSET 0: else a join could not look up movements one by one, as it can do in tables and subqueries.
CREATE FUNCTION {name}_between(first timestamptz, last timestamptz)
RETURNS SETOF {name}_movement LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM {name}_movement WHERE effective_at >= first AND effective_at <= last
    UNION ALL
    (SELECT * FROM {name}_whole(first, last) OFFSET 0);
END;
COMMENT ON FUNCTION {name}_between (timestamptz, timestamptz) IS
    'Register {name}: the movements that took effect from one moment to another, both included.';
